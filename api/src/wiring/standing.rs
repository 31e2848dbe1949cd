//! Who may act, by the states that the engine keeps in memory.

use crate::pipeline::{Elevated, Program, Shown, Standing, Standings, decision::OwnPolicies, session_secret::same};
use async_trait::async_trait;
use moka::sync::Cache;
use palmares_commands::{
    engine::Engine,
    identity::policy_language::{ASSIGNED, team_relation},
};
use palmares_domain::{
    compliance::{consent::Consents, legal_document::LegalDocuments},
    experts::assignments::ExpertAssignments,
    identity::{
        Rights, RoleRef,
        api_key::ApiKey,
        elevation::{Elevation, Scope},
        policy_store::PolicyStore,
        role_catalogue::RoleCatalogue,
        sessions::Sessions,
        user::{User, UserStatus},
    },
    kernel::{ApiKeyId, Digest, ElevationId, OrganizationId, SessionId, TeamId, UserId},
    organizations::organization::Organization,
    recognition::team::Team,
};
use std::{collections::BTreeSet, sync::Arc};

/// Organizations whose policies stay read.
const POLICIES_KEPT: u64 = 1000;

pub(super) struct EngineStandings {
    engine: Arc<Engine>,
    /// The policies that held last, by organization.
    policies: Cache<OrganizationId, Arc<OwnPolicies>>,
}

#[async_trait]
impl Standings for EngineStandings {
    async fn of(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Standing> {
        let roles = |user: &User| user.profile().map(|profile| user.may_sign_in().then(|| (profile.roles.clone(), user.is_active())));
        let user = self.engine.look(organization, user, roles).await?;
        let stands =
            self.engine.look(organization, organization, |found: &Organization| found.profile().map(|_| found.is_active())).await?;
        Ok(match (stands, user) {
            (None, _) | (_, None) => Standing::Unknown,
            (Some(false), _) => Standing::OrganizationSuspended,
            (_, Some(None)) => Standing::UserSuspended,
            (Some(true), Some(Some((roles, true)))) => Standing::Active(self.rights(organization, roles).await?),
            (Some(true), Some(Some((roles, false)))) => Standing::Leaving(self.rights(organization, roles).await?),
        })
    }

    async fn signed_in(
        &self,
        organization: OrganizationId,
        user: UserId,
        session: SessionId,
        secret: Option<Digest>,
    ) -> anyhow::Result<Option<Shown>> {
        let now = self.engine.now();
        let factors = |sessions: &Sessions| {
            let goes_on = match secret {
                Some(secret) => sessions.held_by(session, secret, now),
                None => sessions.live(session, now),
            };
            goes_on.map(|session| (session.showed_second_factor(), session.showed_two_factors()))
        };
        Ok(match self.engine.look(organization, user, factors).await? {
            None => None,
            Some((true, _)) => Some(Shown::TwoFactors),
            Some((_, true)) => Some(Shown::OneFactor),
            // It may have begun before the organization asked everyone for a second one.
            Some((_, false)) => {
                let asks_everyone = |found: &Organization| found.settings().requires_mfa();
                let asks_everyone = self.engine.look(organization, organization, asks_everyone).await?;
                Some(if asks_everyone { Shown::TooLittle } else { Shown::OneFactor })
            }
        })
    }

    async fn owes_consent(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<bool> {
        let required = |found: &Organization| found.profile().and_then(|profile| profile.settings.required_consents.clone());
        let Some(required) = self.engine.look(organization, organization, required).await?.filter(|required| !required.is_empty()) else {
            return Ok(false);
        };
        let now = self.engine.now();
        let in_force = |documents: &LegalDocuments| {
            let versions = required.iter().filter_map(|kind| Some((*kind, documents.in_force(*kind, now)?.clone())));
            versions.collect::<Vec<_>>()
        };
        let in_force = self.engine.look(organization, organization, in_force).await?;
        let owes = |consents: &Consents| in_force.iter().any(|(kind, version)| !consents.accepts(*kind, version));
        Ok(self.engine.look(organization, user, owes).await?)
    }

    async fn program(&self, organization: OrganizationId, key: ApiKeyId, secret: Digest) -> anyhow::Result<Option<Program>> {
        let now = self.engine.now();
        let found = |key: &ApiKey| {
            let key = key.issued()?;
            key.good_secrets(now).any(|good| same(good, secret)).then(|| (key.role(), key.quota()))
        };
        let Some((role, quota)) = self.engine.look(organization, key, found).await? else { return Ok(None) };
        let stands =
            self.engine.look(organization, organization, |found: &Organization| found.profile().map(|_| found.is_active())).await?;
        let standing = match stands {
            None => Standing::Unknown,
            Some(false) => Standing::OrganizationSuspended,
            Some(true) => Standing::Active(Rights::new([role])),
        };
        Ok(Some(Program { standing, quota }))
    }

    async fn elevation(&self, organization: OrganizationId, elevation: ElevationId, user: UserId) -> anyhow::Result<Option<Elevated>> {
        let now = self.engine.now();
        let scope = self.engine.look(organization, elevation, |found: &Elevation| found.in_force(user, now)).await?;
        Ok(match scope {
            None => None,
            Some(Scope::Role(role)) => {
                let held = self.engine.look(organization, organization, |catalogue: &RoleCatalogue| catalogue.held(role)).await?;
                held.map(Elevated::Role)
            }
            // Both have to be in good standing, and the platform's own people are nobody else's to be.
            Some(Scope::ActingAs(other)) => match self.of(organization, other).await? {
                Standing::Active(rights) if !rights.reach_everywhere() => Some(Elevated::ActingAs(other, rights)),
                _ => None,
            },
        })
    }

    async fn exists(&self, organization: OrganizationId) -> anyhow::Result<bool> {
        Ok(self.engine.look(organization, organization, |found: &Organization| found.profile().is_some()).await?)
    }

    async fn policies(&self, organization: OrganizationId) -> anyhow::Result<Option<Arc<OwnPolicies>>> {
        let Some(holds) = self.engine.look(organization, organization, PolicyStore::holds).await? else {
            return Ok(None);
        };
        if let Some(policies) = self.policies.get(&organization).filter(|policies| policies.are(holds)) {
            return Ok(Some(policies));
        }
        let live = self.engine.look(organization, organization, PolicyStore::live).await?;
        Ok(live.map(|live| {
            let policies = Arc::new(OwnPolicies::of(&live));
            self.policies.insert(organization, policies.clone());
            policies
        }))
    }

    async fn status(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Option<UserStatus>> {
        Ok(self.engine.look(organization, user, |user: &User| user.profile().map(|profile| profile.status)).await?)
    }

    async fn relations(&self, organization: OrganizationId, user: UserId, to: UserId) -> anyhow::Result<Vec<&'static str>> {
        let now = self.engine.now();
        let assigned = self.engine.look(organization, to, |experts: &ExpertAssignments| experts.holds(user, now)).await?;
        Ok(assigned.then_some(ASSIGNED).into_iter().collect())
    }

    async fn team_relation(&self, organization: OrganizationId, user: UserId, team: TeamId) -> anyhow::Result<Option<&'static str>> {
        let role = self.engine.look(organization, team, |team: &Team| team.role_of(user)).await?;
        Ok(role.map(team_relation))
    }
}

impl EngineStandings {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine, policies: Cache::new(POLICIES_KEPT) }
    }

    /// What the roles grant now. A retired role grants nothing.
    async fn rights(&self, organization: OrganizationId, roles: BTreeSet<RoleRef>) -> anyhow::Result<Rights> {
        if roles.iter().all(|role| role.built_in().is_some()) {
            return Ok(Rights::built_in(roles.into_iter().filter_map(RoleRef::built_in)));
        }
        let held = |catalogue: &RoleCatalogue| catalogue.rights(&roles);
        Ok(self.engine.look(organization, organization, held).await?)
    }
}
