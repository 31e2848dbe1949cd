//! When something of identity is due.

use crate::engine::due::{Apart, Due, Moment};
use palmares_domain::identity::{elevation::ElevationEvent, invitation::InvitationEvent, signup::SignupEvent};

/// The end of every invitation, moved when it is sent again.
pub const INVITATIONS: Due<InvitationEvent> = Due {
    name: "invitations_due",
    kind: "identity.invitation_due",
    events: &["identity.invitation_issued"],
    apart: Apart::ByNothing,
    moments: |_, happened| match happened {
        InvitationEvent::InvitationIssued(issued) => vec![Moment::of(issued.invitation_id.0, issued.expires_at)],
        _ => Vec::new(),
    },
};

/// The end of every sign-up, moved with each step.
pub const SIGNUPS: Due<SignupEvent> = Due {
    name: "signups_due",
    kind: "identity.signup_due",
    events: &["identity.signup_link_issued", "identity.signup_code_issued", "identity.signup_approval_awaited"],
    apart: Apart::ByNothing,
    moments: |_, happened| happened.expires_at().map(|due_at| Moment::of(happened.user_id().0, due_at)).into_iter().collect(),
};

/// The end of every approval, and of every elevation that was started. The gate does not wait for it: an
/// elevation whose time is over gives nothing, recorded or not.
pub const ELEVATIONS: Due<ElevationEvent> = Due {
    name: "elevations_due",
    kind: "identity.elevation_due",
    events: &["identity.elevation_approved", "identity.elevation_started"],
    apart: Apart::ByMoment,
    moments: |_, happened| happened.due_at().map(|due_at| Moment::of(happened.elevation_id().0, due_at)).into_iter().collect(),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{timers::Timer, timetable::Timetable},
        testing::recorded,
    };
    use chrono::{DateTime, TimeDelta, Utc};
    use palmares_domain::{
        identity::{Role, invitation::InvitationIssued},
        kernel::{Digest, Event, InvitationId, OrganizationId, Personal, UserId, derive_uuid},
    };
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const INVITATION: InvitationId = InvitationId(Uuid::from_u128(2));

    fn timer_of(generation: u32, hours: i64) -> Timer {
        let issued_at: DateTime<Utc> = DateTime::UNIX_EPOCH;
        let issued: InvitationEvent = InvitationIssued {
            invitation_id: INVITATION,
            user_id: UserId(Uuid::from_u128(3)),
            email: Personal::Sealed(Digest([7; 32])),
            role: Role::Member.into(),
            generation,
            issued_at,
            expires_at: issued_at + TimeDelta::hours(hours),
            invited_by: UserId(Uuid::from_u128(4)),
        }
        .into();
        let version = i64::from(generation);
        let delivered = recorded(ACME, ("invitation", INVITATION.0, version), version, &issued);
        let [(_, Some(timer))] = &INVITATIONS.changes(&delivered.event).unwrap()[..] else { panic!("one timer") };
        timer.clone()
    }

    // covers: E-129
    #[test]
    fn sending_an_invitation_again_moves_its_timer() {
        let (first, second) = (timer_of(1, 1), timer_of(2, 5));
        assert_eq!((first.id, first.stream_id), (second.id, INVITATION.0));
        assert_eq!(second.due_at - first.due_at, TimeDelta::hours(4));
        assert!(first.due_at > DateTime::UNIX_EPOCH + TimeDelta::hours(1));
        // The id that timers had which were set long ago.
        assert_eq!(first.id, derive_uuid("identity.invitation_due", &[INVITATION.0.as_bytes()]));
    }

    #[test]
    fn every_event_that_says_when_a_sign_up_ends_moves_its_timer() {
        let ends = |spec: &&palmares_domain::kernel::EventSpec| spec.fields.iter().any(|field| field.name == "expires_at");
        let saying: Vec<_> = SignupEvent::CATALOGUE.iter().filter(ends).map(|event| event.name).collect();
        assert_eq!(SIGNUPS.events, saying);
    }
}
