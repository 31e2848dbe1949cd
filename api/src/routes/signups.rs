//! Sign-ups: how people sign up in an organization, and those who wait for somebody to decide.

use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{ApproveSignup, ConfigureSignup, HooksOffered, NewUser, RefuseSignup};
use palmares_domain::{
    identity::{
        signup::Signup,
        signup_policy::{SignupHook, SignupPolicy},
    },
    kernel::{Admitted, OrganizationId, Tenant},
};
use palmares_projections::identity::signups::ListSignups;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const POLICY: &str = "/organizations/{organization_id}/signup-policy";

pub const ROUTES: &[Route] = &[
    Route::action::<GetSignupPolicy>(Verb::Get, POLICY, "identity.signup_policy.read"),
    Route::prepared::<ConfigureSignup, HooksLookedUp>(Verb::Put, POLICY),
    Route::get::<ListSignups>("/signups", "identity.signup.read"),
    Route::prepared::<ApproveSignup, PersonLookedUp>(Verb::Post, "/signups/{user_id}/approve"),
    Route::prepared::<RefuseSignup, PersonLookedUp>(Verb::Post, "/signups/{user_id}/refuse"),
];

/// Says what this deployment can ask for.
struct HooksLookedUp;

impl Prepare<ConfigureSignup> for HooksLookedUp {
    type Shown = ();

    async fn prepare(operation: ConfigureSignup, _: Tenant, services: &Services) -> Result<(ConfigureSignup, ()), Problem> {
        let offered = HooksOffered { captcha: services.desk.captcha.is_some(), phone_verification: services.desk.sends_texts };
        Ok((ConfigureSignup { offered, ..operation }, ()))
    }
}

/// Looks up who signs up, because the address is claimed by a hash that a decision cannot make.
struct PersonLookedUp;

impl Prepare<ApproveSignup> for PersonLookedUp {
    type Shown = ();

    async fn prepare(operation: ApproveSignup, tenant: Tenant, services: &Services) -> Result<(ApproveSignup, ()), Problem> {
        let user = operation.user_id;
        // Of a sign-up that is not there the operation itself says so.
        let person = |signup: &Signup| signup.person().map(|person| NewUser::of(user, person));
        let person = services.engine.look(tenant.organization(), user, person).await?;
        Ok((ApproveSignup { person, ..operation }, ()))
    }
}

impl Prepare<RefuseSignup> for PersonLookedUp {
    type Shown = ();

    async fn prepare(operation: RefuseSignup, tenant: Tenant, services: &Services) -> Result<(RefuseSignup, ()), Problem> {
        let email = |signup: &Signup| signup.person().map(|person| person.email.clone().into());
        let email = services.engine.look(tenant.organization(), operation.user_id, email).await?;
        Ok((RefuseSignup { email, ..operation }, ()))
    }
}

/// How people sign up in an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSignupPolicy {
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
}

/// How people sign up.
#[derive(Serialize, ToSchema)]
pub struct SignupPolicyShown {
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
    /// Whether they may by themselves.
    pub open: bool,
    /// The hooks as they are configured.
    pub hooks: Vec<SignupHook>,
    /// What somebody who signs up now has to pass, in order.
    pub steps: Vec<SignupHook>,
}

impl Action for GetSignupPolicy {
    type Output = SignupPolicyShown;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<SignupPolicyShown, Problem> {
        // The gate lets nobody name another organization than the one in which they act.
        let organization_id = admitted.admission().organization;
        let shown = |policy: &SignupPolicy| SignupPolicyShown {
            organization_id,
            open: policy.is_open(),
            hooks: policy.hooks().to_vec(),
            steps: policy.steps(),
        };
        Ok(services.engine.look(organization_id, organization_id, shown).await?)
    }
}
