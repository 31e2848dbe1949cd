//! What is recorded when its time has come: one command for each kind of timer.

use super::{System, execute, failed};
use async_trait::async_trait;
use palmares_commands::{
    compliance::{ExpireExport, MarkBreachOverdue, MarkRequestOverdue, MarkReviewOverdue},
    engine::{Engine, Operation},
    identity::{ExpireElevation, ExpireInvitation, ExpireSignup},
    organizations::ExpireSetup,
    points::ExpireDue,
};
use palmares_domain::{
    identity::signup::Signup,
    kernel::{AccessReviewId, BreachId, ElevationId, ExportId, InvitationId, Purpose, SubjectRequestId, UserId},
};
use palmares_projections::{
    compliance,
    engine::ReactError,
    engine::timers::{Timer, TimerHandler},
    identity,
    organizations::{self, due::SetupLeft},
    points,
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Every kind of timer that asks for one command.
pub(super) fn all(engine: &Arc<Engine>) -> Vec<Arc<dyn TimerHandler>> {
    let by = |name, permission| (engine.clone(), System { name, permission });
    vec![
        timed(points::due::ACCOUNTS.kind, by("points.expire_due", "system.expire_due"), |timer| Ok(ExpireDue { account: said(timer)? })),
        timed(identity::due::INVITATIONS.kind, by("identity.expire_invitations", "system.expire_invitations"), |timer| {
            Ok(ExpireInvitation { invitation_id: InvitationId(timer.stream_id) })
        }),
        Arc::new(SignupTimer(engine.clone())),
        timed(identity::due::ELEVATIONS.kind, by("identity.expire_elevation", "system.expire_elevation"), |timer| {
            Ok(ExpireElevation { elevation_id: ElevationId(timer.stream_id) })
        }),
        timed(organizations::due::SETUPS.kind, by("organizations.expire_setup", "system.expire_setup"), |timer| {
            let SetupLeft { organization_id, last_step } = said(timer)?;
            Ok(ExpireSetup { organization_id, last_step })
        }),
        timed(compliance::due::SUBJECT_REQUESTS.kind, by("compliance.mark_overdue", "system.mark_overdue"), |timer| {
            Ok(MarkRequestOverdue { request_id: SubjectRequestId(timer.stream_id) })
        }),
        timed(compliance::due::BREACHES.kind, by("compliance.mark_breach_overdue", "system.mark_breach_overdue"), |timer| {
            Ok(MarkBreachOverdue { breach_id: BreachId(timer.stream_id) })
        }),
        timed(compliance::due::ACCESS_REVIEWS.kind, by("compliance.mark_review_overdue", "system.mark_review_overdue"), |timer| {
            Ok(MarkReviewOverdue { review_id: AccessReviewId(timer.stream_id) })
        }),
        timed(compliance::due::SUBJECT_EXPORTS.kind, by("compliance.expire_export", "system.expire_export"), |timer| {
            Ok(ExpireExport { export_id: ExportId(timer.stream_id) })
        }),
    ]
}

/// Executes a command when the time of a stream has come.
struct Timed<O> {
    kinds: [&'static str; 1],
    engine: Arc<Engine>,
    system: System,
    command: fn(&Timer) -> Result<O, ReactError>,
}

fn timed<O: Operation>(
    kind: &'static str,
    (engine, system): (Arc<Engine>, System),
    command: fn(&Timer) -> Result<O, ReactError>,
) -> Arc<dyn TimerHandler> {
    Arc::new(Timed { kinds: [kind], engine, system, command })
}

/// What a timer says beside its stream.
fn said<T: DeserializeOwned>(timer: &Timer) -> Result<T, ReactError> {
    serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))
}

#[async_trait]
impl<O: Operation> TimerHandler for Timed<O> {
    fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let operation = (self.command)(timer)?;
        // Without an id that would answer a repetition: recording what is due again records nothing.
        execute(&self.engine, self.system.admission(timer.organization_id), operation).await.map(drop).map_err(failed)
    }
}

/// Ends sign-ups whose time has run out, and lets go of the address, which stands sealed. While it is hidden it may
/// be shown again, and would stay claimed: the timer comes back.
struct SignupTimer(Arc<Engine>);

#[async_trait]
impl TimerHandler for SignupTimer {
    fn kinds(&self) -> &[&'static str] {
        &[identity::due::SIGNUPS.kind]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let (engine, organization, user_id) = (&self.0, timer.organization_id, UserId(timer.stream_id));
        let email = |signup: &Signup| signup.person().map(|person| person.email.clone().into());
        let email = engine.look(organization, user_id, email).await.map_err(failed)?;
        if email.is_none() && engine.is_hidden(organization, user_id, Purpose::Profile).await.map_err(failed)? {
            return Err(ReactError::Transient(anyhow::anyhow!("who signed up is hidden")));
        }
        let system = System { name: "identity.expire_signups", permission: "system.expire_signups" };
        execute(engine, system.admission(organization), ExpireSignup { user_id, email }).await.map(drop).map_err(failed)
    }
}
