//! Rebuilds and retries on request: recorded here, run by whichever process runs the workers.

use crate::pipeline::{Upkeep, UpkeepRefused};
use async_trait::async_trait;
use palmares_projections::engine::{
    requests,
    retries::{self, Asked},
};
use sqlx::PgPool;

pub(super) struct RequestedUpkeep {
    /// Connections of role `palmares_committer`.
    pub pool: PgPool,
    /// Every projection of this build.
    pub projections: Vec<&'static str>,
}

#[async_trait]
impl Upkeep for RequestedUpkeep {
    async fn rebuild(&self, projection: &str) -> Result<(), UpkeepRefused> {
        if !self.projections.contains(&projection) {
            return Err(UpkeepRefused::Unknown);
        }
        match requests::ask(&self.pool, projection).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(UpkeepRefused::Running),
            Err(error) => Err(UpkeepRefused::Unavailable(error.into())),
        }
    }

    async fn retry(&self, reactor: &str) -> Result<u64, UpkeepRefused> {
        match retries::ask(&self.pool, reactor).await {
            Ok(Asked::Of(events)) => Ok(events),
            Ok(Asked::Projection) => Err(UpkeepRefused::RebuildInstead),
            Ok(Asked::Unknown) => Err(UpkeepRefused::Unknown),
            Err(error) => Err(UpkeepRefused::Unavailable(error.into())),
        }
    }
}
