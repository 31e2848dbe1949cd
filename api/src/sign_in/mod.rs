//! Signing in: how somebody shows who they are, and gets a session.
//!
//! `doors/` are the requests; `meant` finds who is meant, `passwords`, `totp`, `pass_token` and
//! `sent_code` verify, `mailing` and `phone` send links and codes, `entrance` asks for what is still missing and
//! starts the session; `signup_token` names a sign-up; `federation/` asks an organization's identity provider, and `recognized` finds
//! whom it means. Who is unknown, locked or wrong gets one
//! answer after the same work, so that nobody learns who is here (E-88).

pub mod abuse;
pub mod account;
pub mod attempts;
pub mod challenge;
pub mod disown_token;
pub mod doors;

pub mod entrance;
pub mod federation;
pub mod invitation_token;
pub mod known;
pub mod mailing;
pub mod meant;
pub mod membership_token;
pub mod pass_token;
pub mod password_policy;
pub mod passwords;
pub mod phone;
pub mod place;
pub mod recognized;
pub mod sent_code;
pub mod signup_token;
pub mod step_up;
pub mod told;
pub mod totp;

use crate::{
    captcha::Captcha,
    pipeline::{RefusedAccess, door::Visit, ports::Access},
    problem::Problem,
};
use abuse::Abuse;
use attempts::Attempts;
use federation::{Federation, FederationSettings};
use meant::{Found, Meant};
use palmares_commands::{identity::RecordFailedSignIn, privacy::KeyRing};
use palmares_domain::{
    compliance::access_record::Aim,
    identity::Rights,
    kernel::{Code, OrganizationId, UserId, derive_uuid},
};
use password_policy::PasswordPolicy;
use passwords::Passwords;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Answers from which nobody may learn who is here leave at whole multiples of this after their
/// requests came. It is longer than the work takes where nobody waits for a turn.
pub const BEAT: Duration = Duration::from_millis(100);

/// What a failure says beside its reason where nobody of the organization is called so.
const UNKNOWN_ADDRESS: &str = "sign_in.unknown_address";

/// What the widget of a challenge gives is some hundred bytes long.
const CAPTCHA_MAX_BYTES: usize = 4096;

/// What the doors work with.
pub struct Desk {
    pub passwords: Passwords,
    pub policy: PasswordPolicy,
    pub attempts: Attempts,
    pub abuse: Abuse,
    /// What codes that are sent by mail are made with.
    pub ring: Arc<KeyRing>,
    /// Where people sign in at a provider of their organization's.
    pub federation: Federation,
    /// What tells people from programs, where the deployment has it.
    pub captcha: Option<Arc<dyn Captcha>>,
    /// Whether the deployment can send codes to telephones.
    pub sends_texts: bool,
}

impl Desk {
    /// # Errors
    /// Where the system has no randomness to give, or its certificates cannot be read.
    pub fn new(policy: PasswordPolicy, ring: Arc<KeyRing>, federation: FederationSettings) -> anyhow::Result<Self> {
        let (passwords, federation) = (Passwords::new()?, Federation::new(federation)?);
        Ok(Self {
            passwords,
            policy,
            attempts: Attempts::default(),
            abuse: Abuse::default(),
            ring,
            federation,
            captcha: None,
            sends_texts: false,
        })
    }
}

/// Waits for the next beat. The same work is done for everyone, but who was here lately stands in
/// memory, and who is unknown is looked for in the database: a millisecond or two that would tell.
async fn on_the_beat(came: Instant) {
    let beats = came.elapsed().as_nanos() / BEAT.as_nanos() + 1;
    tokio::time::sleep_until(came + BEAT * u32::try_from(beats).unwrap_or(u32::MAX)).await;
}

/// Refuses whoever did not solve a challenge.
///
/// # Errors
/// A response that solves none, a deployment without challenges, and nobody who could tell.
async fn check_solved(visit: &Visit<'_>, response: Option<&str>) -> Result<(), Problem> {
    let Some(captcha) = &visit.services.desk.captcha else {
        return Err(Problem::new(Code::ServiceUnavailable, "identity.captcha_not_enabled"));
    };
    let unsolved = || Problem::invalid_field("captcha", "identity.captcha_not_solved");
    let response = response.filter(|response| (1..=CAPTCHA_MAX_BYTES).contains(&response.len())).ok_or_else(unsolved)?;
    match captcha.is_solved(response, visit.address).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(unsolved()),
        Err(fault) => Err(Problem::unavailable(fault)),
    }
}

/// In whose name failures stand of those whom an organization does not know: one name for all of them, which tells
/// nothing of the address that was typed.
fn stranger(organization: OrganizationId) -> UserId {
    UserId(derive_uuid("stranger", &[organization.0.as_bytes()]))
}

/// Remembers a failure under the name of whom was meant, or as a stranger's where nobody is called so; of an
/// organization that is not there, nothing. It is done beside the answer, so that it takes no longer.
fn record_failure(visit: &Visit<'_>, meant: &Meant, found: &Found) {
    let is_known = found.status.is_some();
    let recorded = is_known || (found.organization_active && visit.services.desk.attempts.records_stranger(meant.organization));
    if !recorded {
        return;
    }
    let (actor, policies) =
        if is_known { (meant.user, Vec::new()) } else { (stranger(meant.organization), vec![UNKNOWN_ADDRESS.to_owned()]) };
    let access = Access {
        organization: meant.organization,
        actor,
        on_behalf_of: None,
        elevation: None,
        session: None,
        rights: Rights::default(),
        route: visit.route_name(),
        permission: "door.sign_in",
        request_id: visit.request_id,
        correlation_id: visit.correlation_id,
        client: visit.client.clone(),
    };
    let (code, reason) = (Code::AuthenticationFailed, "sign_in.failed".to_owned());
    let refusal = RefusedAccess { access, code, reason, policies, aim: Aim::default() };
    let log = visit.services.gate.access_log();
    let (ring, engine, meant, address) = (visit.services.desk.ring.clone(), visit.services.engine.clone(), meant.clone(), visit.address);
    let admitted = visit.admit(meant.organization, meant.user, None, "door.sign_in", ());
    tokio::spawn(async move {
        let counted: Result<(), Problem> = async {
            if !is_known {
                return Ok(());
            }
            let network = place::network(&ring, &meant, address).await?;
            engine.execute(admitted.map(|()| RecordFailedSignIn { user_id: meant.user, network })).await?;
            Ok(())
        }
        .await;
        if let Err(problem) = counted {
            tracing::error!(?problem, "a failed sign-in could not be counted");
        }
        if let Err(error) = log.refused(refusal).await {
            tracing::error!(error = format!("{error:#}"), "a failed sign-in could not be recorded");
        }
    });
}
