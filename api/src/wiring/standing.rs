//! Who may act, by the states that the engine keeps in memory.

use crate::pipeline::{Standing, Standings};
use async_trait::async_trait;
use palmares_commands::engine::Engine;
use palmares_domain::{
    identity::user::User,
    kernel::{OrganizationId, UserId},
    organizations::organization::Organization,
};
use std::sync::Arc;

pub(super) struct EngineStandings(pub Arc<Engine>);

#[async_trait]
impl Standings for EngineStandings {
    async fn of(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Standing> {
        let user = self.0.look(organization, user, |user: &User| user.profile().map(|_| user.is_active())).await?;
        let organization =
            self.0.look(organization, organization, |found: &Organization| found.profile().map(|_| found.is_active())).await?;
        Ok(match (organization, user) {
            (None, _) | (_, None) => Standing::Unknown,
            (Some(false), _) => Standing::OrganizationSuspended,
            (_, Some(false)) => Standing::UserSuspended,
            (Some(true), Some(true)) => Standing::Active,
        })
    }

    async fn exists(&self, organization: OrganizationId) -> anyhow::Result<bool> {
        Ok(self.0.look(organization, organization, |found: &Organization| found.profile().is_some()).await?)
    }
}
