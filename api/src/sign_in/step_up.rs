//! Stepping up: whoever is in shows once more who they are, and holds a proof of it for minutes.
//!
//! The proof is a signed text that names user and session, so it is worth nothing to anyone else and
//! nothing elsewhere. A row that asks for one takes it in a header (as RFC 9470 has it for tokens).

use super::{
    entrance::{failed, refused_entry},
    meant::{Meant, found},
    totp,
};
use crate::{
    pipeline::{STEP_UP, Services, StepUpProof, action::Action},
    problem::Problem,
};
use chrono::{DateTime, Duration, Utc};
use palmares_commands::identity::Enter;
use palmares_domain::{
    identity::{credential::CredentialAction, sessions::Sessions},
    kernel::{Admitted, Code, OrganizationId, SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// How long a proof is good, and how long having signed in is one.
const GOOD_FOR: Duration = Duration::minutes(5);

/// Show once more who one is, by all that one signs in with: the password, and the authenticator's code where
/// one is enrolled. Whoever has no password has signed in within the last five minutes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(min_length = 6, max_length = 6)]
    pub code: Option<String>,
    #[schema(max_length = 128)]
    pub password: Option<String>,
}

/// What to send as `Palmares-Proof`.
#[derive(Serialize, ToSchema)]
pub struct SteppedUp {
    pub proof: String,
    pub expires_at: DateTime<Utc>,
}

impl Action for StepUp {
    type Output = SteppedUp;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(mut admitted: Admitted<Self>, services: &Services) -> Result<SteppedUp, Problem> {
        let given = admitted.value_mut();
        let (code, password) = (given.code.take(), given.password.take().map(Zeroizing::new));
        let (organization, user, session) = {
            let admission = admitted.admission();
            (admission.organization, admission.actor, admission.session)
        };
        services.desk.attempts.count_own("step_up", user)?;
        let found = found(services, &Meant { organization, user }).await?;
        match found.credential.password() {
            Some(known) => {
                let password = password.ok_or_else(|| Problem::invalid_field("password", "required"))?;
                if !services.desk.passwords.verify(password, Some(known.hash.clone())).await? {
                    return Err(failed());
                }
            }
            None => check_fresh(services, organization, user, session).await?,
        }
        if found.credential.has_totp() {
            let code = code.ok_or_else(|| Problem::invalid_field("code", "required"))?;
            let step = found.credential.totp_secret().and_then(|secret| totp::step_of(secret, &code)).ok_or_else(failed)?;
            // A code is good once, here as at the door.
            let used = Enter::change(user, vec![CredentialAction::RecordTotp { step }]);
            services.engine.execute(admitted.map(|_| used)).await.map_err(refused_entry)?;
        }
        let expires_at = services.engine.now() + GOOD_FOR;
        let proof = services.gate.tokens().seal(STEP_UP, &StepUpProof { organization, user, session }, expires_at);
        Ok(SteppedUp { proof: proof.map_err(Problem::internal)?, expires_at })
    }
}

/// Refuses a session that is older than a proof: a code alone would not do, since whoever has the session may
/// have enrolled the authenticator.
async fn check_fresh(services: &Services, organization: OrganizationId, user: UserId, session: Option<SessionId>) -> Result<(), Problem> {
    let now = services.engine.now();
    let started = |sessions: &Sessions| session.and_then(|session| sessions.live(session, now)).map(|session| session.started_at);
    let started = services.engine.look(organization, user, started).await?;
    let fresh = started.is_some_and(|started| started + GOOD_FOR > now);
    if fresh { Ok(()) } else { Err(Problem::new(Code::Conflict, "sign_in.sign_in_again")) }
}
