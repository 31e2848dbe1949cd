//! Show that the telephone which was given at sign-up is one's own (T-46).

use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{on_the_beat, sent_code::signup_code, signup_token::not_valid},
};
use aws_lc_rs::constant_time;
use palmares_commands::{
    engine::Rejection,
    identity::{FailSignupCode, NewUser, ProveSignupPhone},
    organizations::slug_claim,
};
use palmares_domain::{
    identity::{
        SIGNUP_EMAIL_LOOKUP, email_key,
        signup::{Signup, Terms},
        signup_policy::SignupHook,
    },
    kernel::{OrganizationId, UserId},
    organizations::organization::Organization,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

/// Give back the code that came to the telephone. Whether the code is wrong, void or of nobody who signs up,
/// the answer is the same. Asking to sign up once more sends another code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifySignupPhone {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    /// As it was given with the request to sign up.
    #[schema(max_length = 254)]
    pub email: String,
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

/// What is waited for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignupStep {
    /// A letter brings a link.
    EmailVerificationRequired,
    /// Somebody who may has to approve; a letter tells when that is done.
    ApprovalRequired,
    /// Nothing: the account is there, and one signs in.
    Complete,
}

/// Where a sign-up stands.
#[derive(Serialize, ToSchema)]
pub struct SignupGoesOn {
    pub status: SignupStep,
}

impl Door for VerifySignupPhone {
    type Output = SignupGoesOn;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignupGoesOn>, Problem> {
        let came = Instant::now();
        visit.services.desk.attempts.count(visit.address, "signup_code", &[&self.organization, &email_key(&self.email)])?;
        match self.prove(visit).await? {
            Some((organization, user)) => Ok(SignupGoesOn { status: step(visit, organization, user).await? }.into()),
            None => {
                on_the_beat(came).await;
                Err(not_valid())
            }
        }
    }
}

impl VerifySignupPhone {
    /// Whose telephone was shown to be theirs; nobody's where the code is not the one that was sent.
    async fn prove(&self, visit: &Visit<'_>) -> Result<Option<(OrganizationId, UserId)>, Problem> {
        let engine = &visit.services.engine;
        let Some(organization) = engine.owner(slug_claim(&self.organization)).await?.map(OrganizationId) else { return Ok(None) };
        let holder = engine.holder(organization, SIGNUP_EMAIL_LOOKUP, &email_key(&self.email)).await?;
        let Some(user_id) = holder.map(UserId) else { return Ok(None) };
        if !engine.look(organization, organization, Organization::is_active).await? {
            return Ok(None);
        }
        let now = engine.now();
        let open = |signup: &Signup| signup.open_code(now).ok().map(|(code, person)| (code.generation, NewUser::of(user_id, person)));
        let Some((generation, person)) = engine.look(organization, user_id, open).await? else { return Ok(None) };
        let sent = signup_code(&visit.services.desk.ring, organization, user_id, generation).await;
        let sent = sent.map_err(|error| Rejection::Internal(error.into()))?;
        let is_right = constant_time::verify_slices_are_equal(sent.as_bytes(), self.code.as_bytes()).is_ok();
        let done = if is_right {
            let prove = ProveSignupPhone { user_id, person, generation };
            engine.execute(visit.admit(organization, user_id, None, "door.verify_sign_up_phone", prove)).await
        } else {
            // Counted before it is answered; the fifth makes the code void.
            let fail = FailSignupCode { user_id, generation };
            engine.execute(visit.admit(organization, user_id, None, "door.fail_code", fail)).await
        };
        match done {
            Ok(_) => Ok(is_right.then_some((organization, user_id))),
            // Used, void or sent again since it was looked at; the door was closed; somebody has the address.
            Err(Rejection::Refused(_)) => Ok(None),
            Err(rejection) => Err(rejection.into()),
        }
    }
}

async fn step(visit: &Visit<'_>, organization: OrganizationId, user: UserId) -> Result<SignupStep, Problem> {
    let awaits = |signup: &Signup| signup.terms().and_then(Terms::awaits);
    Ok(match visit.services.engine.look(organization, user, awaits).await? {
        Some(SignupHook::AdminApproval) => SignupStep::ApprovalRequired,
        Some(_) => SignupStep::EmailVerificationRequired,
        None => SignupStep::Complete,
    })
}
