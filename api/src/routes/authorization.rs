//! Authorization asked about itself: may this user do that, why, and what could they do on that day?
//!
//! The answer for a past moment folds the user's and the organization's streams up to it and asks
//! today's decision point: built-in roles and the platform's policies are those of this build. What
//! the organization wrote itself is what held then.

mod explain;

use crate::{
    pipeline::{
        Route, Services,
        action::Action,
        decision::{Circumstances, OwnPolicies, Question, Through, Verdict},
        related::Belonging,
        route::Verb,
    },
    problem::Problem,
};
use chrono::{DateTime, Utc};
use explain::ExplainRights;
use palmares_commands::{
    engine::Past,
    identity::policy_language::{ASSIGNED, team_relation},
};
use palmares_domain::{
    experts::assignments::ExpertAssignments,
    identity::{
        Rights, RoleRef,
        policy_store::PolicyStore,
        role_catalogue::RoleCatalogue,
        user::{User, UserStatus},
    },
    kernel::{Admitted, FieldError, OrganizationId, TeamId, UserId},
    organizations::organization::Organization,
    recognition::team::Team,
};
use palmares_projections::identity::decisions::ListDecisions;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::action::<CheckPermission>(Verb::Post, "/authz/check", "identity.decision.check"),
    Route::action::<CheckPermissions>(Verb::Post, "/authz/batch-check", "identity.decision.check"),
    Route::action::<ExplainRights>(Verb::Post, "/authz/explain", "identity.decision.explain"),
    Route::get::<ListDecisions>("/authz/decisions", "identity.decision.list"),
];

/// Questions of one batch.
const QUESTIONS_MAX: usize = 200;

/// Whether a user may do something, now or at a moment of the past.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPermission {
    pub user_id: UserId,
    /// Such as `points.hold.place`.
    pub permission: String,
    /// Whose resource it is, where it is one person's.
    pub owner_id: Option<UserId>,
    /// The team that it is about, where it is about one: what the user was in it decides too.
    #[schema(value_type = Option<Uuid>)]
    pub team_id: Option<TeamId>,
    /// A position or an RFC 3339 time; now where it is missing.
    pub as_of: Option<String>,
}

/// Several questions about one user, at one moment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPermissions {
    pub user_id: UserId,
    #[schema(max_items = 200)]
    pub questions: Vec<Asked>,
    /// A position or an RFC 3339 time; now where it is missing.
    pub as_of: Option<String>,
}

/// One question of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub permission: String,
    pub owner_id: Option<UserId>,
    #[schema(value_type = Option<Uuid>)]
    pub team_id: Option<TeamId>,
}

impl Asked {
    fn belonging(&self) -> Belonging {
        Belonging { owner: self.owner_id, team: self.team_id }
    }
}

/// A decision, with what it was made of: the same versions decide the same again.
#[derive(Serialize, ToSchema)]
pub struct Decision {
    pub permission: String,
    pub decision: Outcome,
    /// The policies that decided; none where nothing permits.
    pub policies: Vec<String>,
    #[serde(flatten)]
    pub basis: Basis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    Permit,
    Deny,
}

/// What a decision was made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Basis {
    /// The moment, as a position of the log.
    pub as_of: i64,
    /// Whether user and organization could act at all; where not, everything is denied.
    pub may_act: bool,
    /// Whether the user is to be deleted, and may do no more than to see, take out and cancel.
    pub leaving: bool,
    /// The state of the user's life cycle.
    pub user_status: UserStatus,
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<RoleRef>,
    pub user_version: i64,
    pub role_catalogue_version: i64,
    /// The version of the organization's own policies that held; `null` where it had none.
    pub policy_version: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct Decisions {
    pub items: Vec<Decision>,
}

/// A user and an organization's roles at one moment.
struct Moment {
    organization: OrganizationId,
    user_id: UserId,
    rights: Rights,
    catalogue: RoleCatalogue,
    policies: Option<OwnPolicies>,
    /// Where the owners that are asked about stood, as far as policies may want to know.
    owner_status: HashMap<UserId, UserStatus>,
    /// In which relations the user stood to whose it is that is asked about.
    relations: HashMap<Belonging, Vec<&'static str>>,
    basis: Basis,
}

impl Moment {
    /// The position and the time that are asked about: now, where none is.
    async fn named(services: &Services, as_of: Option<&str>) -> Result<(i64, DateTime<Utc>), Problem> {
        Ok(match as_of {
            Some(text) => {
                let position = services.progress.position_of(text).await?;
                (position, services.progress.time_of(text, position).await?)
            }
            None => (services.engine.store().head().await.map_err(Problem::unavailable)?.position, services.engine.now()),
        })
    }

    async fn of(
        services: &Services,
        organization: OrganizationId,
        user_id: UserId,
        (position, time): (i64, DateTime<Utc>),
        asked: impl IntoIterator<Item = Belonging>,
    ) -> Result<Self, Problem> {
        let engine = &services.engine;
        let user: Past<User> = engine.state_as_of(organization, user_id, position).await?;
        let catalogue: Past<RoleCatalogue> = engine.state_as_of(organization, organization, position).await?;
        let stands: Past<Organization> = engine.state_as_of(organization, organization, position).await?;
        let store: Past<PolicyStore> = engine.state_as_of(organization, organization, position).await?;
        let policies = store.state.live().map(|live| OwnPolicies::of(&live));
        let profile = user.state.profile().ok_or_else(Problem::not_found)?;
        let basis = Basis {
            as_of: position,
            may_act: user.state.may_sign_in() && stands.state.is_active(),
            leaving: user.state.may_sign_in() && !user.state.is_active(),
            user_status: profile.status,
            roles: profile.roles.iter().copied().collect(),
            user_version: user.version,
            role_catalogue_version: catalogue.version,
            policy_version: policies.as_ref().map(OwnPolicies::version),
        };
        let rights = catalogue.state.rights(&profile.roles);
        let mut owner_status = HashMap::from([(user_id, profile.status)]);
        let mut relations = HashMap::new();
        for of in asked.into_iter().collect::<HashSet<_>>() {
            let stands: &mut Vec<&'static str> = relations.entry(of).or_default();
            if let Some(owner) = of.owner.filter(|owner| *owner != user_id) {
                let experts: Past<ExpertAssignments> = engine.state_as_of(organization, owner, position).await?;
                stands.extend(experts.state.holds(user_id, time).then_some(ASSIGNED));
                let past: Past<User> = engine.state_as_of(organization, owner, position).await?;
                owner_status.extend(past.state.profile().map(|profile| (owner, profile.status)));
            }
            if let Some(team) = of.team {
                let team: Past<Team> = engine.state_as_of(organization, team, position).await?;
                stands.extend(team.state.role_of(user_id).map(team_relation));
            }
        }
        Ok(Self { organization, user_id, rights, catalogue: catalogue.state, policies, owner_status, relations, basis })
    }

    fn decide(&self, services: &Services, permission: &'static str, of: Belonging) -> Verdict {
        if !self.basis.may_act {
            return Verdict::Deny(Vec::new());
        }
        let (principal, home, organization) = (self.user_id, self.organization, self.organization);
        let owner = of.owner;
        let owner_status = owner.and_then(|owner| self.owner_status.get(&owner).copied());
        let relations: &[&str] = self.relations.get(&of).map_or(&[], Vec::as_slice);
        let through = if self.basis.leaving { Through::Leaving } else { Through::OwnRights };
        let circumstances = Circumstances { policies: self.policies.as_ref(), owner_status, relations, through };
        services.gate.decide(&Question { principal, home, rights: &self.rights, permission, organization, owner, circumstances })
    }

    fn decision(&self, services: &Services, asked: &Asked, field: &str) -> Result<Decision, Problem> {
        let known = super::permissions().permissions().find(|known| *known == asked.permission);
        let permission = known.ok_or_else(|| Problem::invalid_field(field, "identity.permission_unknown"))?;
        let (decision, policies) = match self.decide(services, permission, asked.belonging()) {
            Verdict::Permit(policies) => (Outcome::Permit, policies),
            Verdict::Deny(policies) => (Outcome::Deny, policies),
        };
        Ok(Decision { permission: permission.to_owned(), decision, policies, basis: self.basis.clone() })
    }
}

impl Action for CheckPermission {
    type Output = Decision;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Decision, Problem> {
        let (admission, asked) = admitted.into_parts();
        let CheckPermission { user_id, permission, owner_id, team_id, as_of } = asked;
        let asked = Asked { permission, owner_id, team_id };
        let at = Moment::named(services, as_of.as_deref()).await?;
        let moment = Moment::of(services, admission.organization, user_id, at, [asked.belonging()]).await?;
        moment.decision(services, &asked, "permission")
    }
}

impl Action for CheckPermissions {
    type Output = Decisions;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Decisions, Problem> {
        let (admission, asked) = admitted.into_parts();
        if !(1..=QUESTIONS_MAX).contains(&asked.questions.len()) {
            return Err(Problem::invalid(vec![FieldError::new("questions", "identity.question_count")]));
        }
        let about = asked.questions.iter().map(Asked::belonging);
        let at = Moment::named(services, asked.as_of.as_deref()).await?;
        let moment = Moment::of(services, admission.organization, asked.user_id, at, about).await?;
        let decide = |(index, question)| moment.decision(services, question, &format!("questions[{index}].permission"));
        Ok(Decisions { items: asked.questions.iter().enumerate().map(decide).collect::<Result<_, _>>()? })
    }
}
