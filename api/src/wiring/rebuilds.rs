//! Rebuilds on request: recorded here, run by whichever process runs the workers.

use crate::pipeline::{RebuildRefused, Rebuilds};
use async_trait::async_trait;
use palmares_projections::engine::requests;
use sqlx::PgPool;

pub(super) struct RequestedRebuilds {
    /// Connections of role `palmares_committer`.
    pub pool: PgPool,
    /// Every projection of this build.
    pub projections: Vec<&'static str>,
}

#[async_trait]
impl Rebuilds for RequestedRebuilds {
    async fn start(&self, projection: &str) -> Result<(), RebuildRefused> {
        if !self.projections.contains(&projection) {
            return Err(RebuildRefused::Unknown);
        }
        match requests::ask(&self.pool, projection).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(RebuildRefused::Running),
            Err(error) => Err(RebuildRefused::Unavailable(error.into())),
        }
    }
}
