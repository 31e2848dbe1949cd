//! Rebuilds on request, by the supervisor of this process.

use crate::pipeline::{RebuildRefused, Rebuilds};
use async_trait::async_trait;
use palmares_projections::engine::{Supervisor, supervisor};
use tokio::sync::RwLock;

/// The supervisor while it runs: it starts after the server that asks for rebuilds is made.
#[derive(Default)]
pub(super) struct Workers(RwLock<Option<Supervisor>>);

impl Workers {
    pub async fn started(&self, supervisor: Supervisor) {
        *self.0.write().await = Some(supervisor);
    }

    /// Ends the supervisor, where one runs.
    pub async fn shutdown(&self) {
        if let Some(supervisor) = self.0.write().await.take() {
            supervisor.shutdown().await;
        }
    }
}

#[async_trait]
impl Rebuilds for Workers {
    async fn start(&self, projection: &str) -> Result<(), RebuildRefused> {
        let supervisor = self.0.read().await;
        let Some(supervisor) = supervisor.as_ref() else {
            return Err(RebuildRefused::Unavailable(anyhow::anyhow!("this process runs no workers: ask one of role worker or all")));
        };
        match supervisor.rebuild(projection).await {
            Ok(_) => Ok(()),
            Err(supervisor::RebuildRefused::Unknown) => Err(RebuildRefused::Unknown),
            Err(supervisor::RebuildRefused::Running) => Err(RebuildRefused::Running),
            Err(error @ supervisor::RebuildRefused::Unavailable(_)) => Err(RebuildRefused::Unavailable(error.into())),
        }
    }
}
