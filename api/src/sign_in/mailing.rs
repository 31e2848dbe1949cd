//! Sending links and codes to the mailbox of a user: the pass is issued here, and a letter follows it.

use super::meant::{Found, Meant};
use crate::{pipeline::door::Visit, problem::Problem};
use chrono::Duration;
use palmares_commands::{engine::Engine, identity::IssuePass};
use palmares_domain::{
    identity::credential::PassKind,
    kernel::{Admitted, Code, PassId},
};
use palmares_projections::{engine::Readers, identity::directory::address_of};
use serde::Serialize;
use utoipa::ToSchema;

/// That a letter was asked for. It says nothing about whether there is anybody to get it.
#[derive(Serialize, ToSchema)]
pub struct Sent {
    pub status: &'static str,
}

impl Sent {
    pub const ANSWER: Self = Self { status: "SENT" };
}

/// How long what is sent is good.
pub(super) fn good_for(kind: PassKind) -> Duration {
    match kind {
        PassKind::MagicLink => Duration::minutes(15),
        PassKind::PasswordReset => Duration::minutes(30),
        PassKind::EmailCode | PassKind::PhoneEnrolment | PassKind::PhoneCode => Duration::minutes(10),
        PassKind::EmailVerification | PassKind::AccountReminder => Duration::hours(24),
    }
}

/// Sends a link to whoever is meant, if they are there and `may` have one. It happens beside the answer, so
/// that neither the answer nor its time tells who is here (E-88). Where it was asked too often, and
/// where the process ends meanwhile, nothing is sent, and the person asks again.
pub fn send_link(visit: &Visit<'_>, meant: Meant, kind: PassKind, pass_id: PassId, may: fn(&Found) -> bool) {
    let admitted = visit.admit(meant.organization, meant.user, None, "door.send_link", ());
    let (engine, readers) = (visit.services.engine.clone(), visit.services.readers.clone());
    tokio::spawn(async move {
        let sent = async {
            if !may(&Found::of(&engine, &meant).await?) {
                return Ok(());
            }
            issue(&engine, &readers, admitted, kind, pass_id).await
        };
        let sent: Result<(), Problem> = sent.await;
        match sent {
            Ok(()) => {}
            Err(problem) if problem.status().is_client_error() => tracing::debug!(?kind, reason = %problem.reason, "a link is not sent"),
            Err(problem) => tracing::error!(?kind, ?problem, "a link could not be sent"),
        }
    });
}

/// Issues a pass to the mailbox that the user has on record: not to the one that was typed, which may
/// be another that only looks alike.
///
/// # Errors
/// A user without an address, and passes that were asked for too often.
pub async fn issue(engine: &Engine, readers: &Readers, admitted: Admitted<()>, kind: PassKind, pass_id: PassId) -> Result<(), Problem> {
    let user_id = admitted.admission().actor;
    let mut reader = readers.open(admitted.tenant(), None).await?;
    let address = address_of(&mut reader, user_id).await?;
    drop(reader);
    let email = address.ok_or_else(|| Problem::new(Code::Conflict, "sign_in.no_address"))?;
    let expires_at = engine.now() + good_for(kind);
    engine.execute(admitted.map(|()| IssuePass { user_id, pass_id, kind, email, expires_at })).await?;
    Ok(())
}
