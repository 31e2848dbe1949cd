//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    kernel::{Aggregate, Code, Facts, OrganizationId, Personal, Refusal, UserId},
    organizations::Locale,
};
use chrono::DateTime;
use uuid::Uuid;

pub(super) const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn facts() -> Facts {
    Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::from_u128(9)) }
}

pub(super) fn given(events: &[OrganizationEvent]) -> Organization {
    events.iter().fold(Organization::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

pub(super) fn when(events: &[OrganizationEvent], command: OrganizationCommand) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    given(events).decide(&command, &facts())
}

fn create(slug: &str) -> OrganizationCommand {
    OrganizationCommand::Create(CreateOrganization {
        organization_id: ACME,
        name: "Acme".into(),
        slug: slug.into(),
        default_locale: Locale::Fr,
        with_setup: false,
    })
}

fn suspend(reason: Option<&str>) -> OrganizationCommand {
    OrganizationCommand::Suspend(SuspendOrganization { reason: reason.map(Into::into) })
}

fn resume() -> OrganizationCommand {
    OrganizationCommand::Resume
}

pub(super) fn created() -> OrganizationEvent {
    OrganizationCreated { organization_id: ACME, name: "Acme".into(), slug: "acme".into(), default_locale: Locale::Fr }.into()
}

fn suspended() -> OrganizationEvent {
    OrganizationSuspended { organization_id: ACME, reason: Some(Personal::Clear("unpaid".into())) }.into()
}

fn resumed() -> OrganizationEvent {
    OrganizationResumed { organization_id: ACME }.into()
}

#[test]
fn a_created_organization_is_active() {
    assert_eq!(when(&[], create("acme")), Ok(vec![created()]));
    let organization = given(&[created()]);
    assert!(organization.is_active());
    assert_eq!(organization.profile().map(|profile| profile.slug.as_str()), Some("acme"));
}

#[test]
fn an_active_organization_is_suspended_and_a_suspended_one_resumed() {
    assert_eq!(when(&[created()], suspend(Some("unpaid"))), Ok(vec![suspended()]));
    assert!(!given(&[created(), suspended()]).is_active());
    assert_eq!(when(&[created(), suspended()], resume()), Ok(vec![resumed()]));
    assert!(given(&[created(), suspended(), resumed()]).is_active());
    assert_eq!(when(&[created(), suspended(), resumed()], suspend(Some("unpaid"))), Ok(vec![suspended()]));
}

fn set_up() -> Vec<OrganizationEvent> {
    let step = |step| SetupStepCompleted { organization_id: ACME, step }.into();
    [created(), SetupBegun { organization_id: ACME }.into()].into_iter().chain(SetupStep::ALL.map(step)).collect()
}

/// A history that leads to a state. A set-up is complete in it, so that only the state can be what refuses.
pub(super) fn history(status: OrganizationStatus) -> Vec<OrganizationEvent> {
    let organization_id = ACME;
    let requested = || OrganizationDeletionRequested { organization_id }.into();
    match status {
        OrganizationStatus::PendingSetup => set_up(),
        OrganizationStatus::Active => vec![created()],
        OrganizationStatus::PaymentDue => vec![created(), PaymentDueMarked { organization_id }.into()],
        OrganizationStatus::Suspended => vec![created(), suspended()],
        OrganizationStatus::Expired => [set_up(), vec![SetupExpired { organization_id }.into()]].concat(),
        OrganizationStatus::OrgPendingDeletion => vec![created(), requested()],
        OrganizationStatus::Purged => vec![created(), requested(), OrganizationPurged { organization_id }.into()],
    }
}

/// Every command that changes the state of an organization that is there.
fn moves() -> [OrganizationCommand; 9] {
    use OrganizationCommand::*;
    [Activate, Expire, MarkPaymentDue, MarkPaid, suspend(None), Resume, RequestDeletion, CancelDeletion, Purge]
}

/// B.2 as it is written there: from, and whither.
const WAYS: [(OrganizationStatus, &[OrganizationStatus]); 7] = {
    use OrganizationStatus::*;
    [
        (PendingSetup, &[Active, Suspended, Expired]),
        (Active, &[PaymentDue, Suspended, OrgPendingDeletion]),
        (PaymentDue, &[Active, Suspended, OrgPendingDeletion]),
        (Suspended, &[Active, OrgPendingDeletion]),
        (Expired, &[]),
        // Back to what it was: here it was active.
        (OrgPendingDeletion, &[Active, Purged]),
        (Purged, &[]),
    ]
};

/// covers: E-123, E-126, E-158
#[test]
fn an_organization_goes_the_ways_of_b_2_and_no_other() {
    for (from, whither) in WAYS {
        let reached: std::collections::BTreeSet<_> = moves()
            .into_iter()
            .filter_map(|command| match when(&history(from), command.clone()) {
                Ok(events) => given(&[history(from), events].concat()).profile().map(|profile| profile.status),
                Err(OrganizationError::TransitionForbidden { from: stated, .. }) => {
                    assert_eq!(stated, from);
                    None
                }
                Err(error) => {
                    assert_eq!(error, OrganizationError::NothingToCancel, "{from:?}: {command:?}");
                    None
                }
            })
            .collect();
        assert_eq!(reached, whither.iter().copied().collect(), "from {from:?}");
        for way in super::status::TRANSITIONS.iter().filter(|way| way.leads_from(from)) {
            assert!(whither.contains(&way.to), "from {from:?} to {:?}", way.to);
        }
        assert_eq!(when(&history(from), create("acme")), Err(OrganizationError::AlreadyExists));
    }
    for command in moves() {
        assert_eq!(when(&[], command), Err(OrganizationError::NotFound));
    }
}

/// covers: E-123
#[test]
fn an_organization_with_a_set_up_is_active_once_every_step_is_done() {
    let with_setup = OrganizationCommand::Create(CreateOrganization {
        organization_id: ACME,
        name: "Acme".into(),
        slug: "acme".into(),
        default_locale: Locale::Fr,
        with_setup: true,
    });
    let mut events = when(&[], with_setup).unwrap();
    assert_eq!(given(&events).profile().map(|profile| profile.status), Some(OrganizationStatus::PendingSetup));
    for (done, step) in SetupStep::ALL.into_iter().enumerate() {
        let refused = when(&events, OrganizationCommand::Activate).unwrap_err();
        assert_eq!(refused, OrganizationError::SetupIncomplete(SetupStep::ALL[done..].to_vec()));
        let named: Vec<_> = refused.errors().into_iter().map(|error| error.field).collect();
        assert_eq!(named, SetupStep::ALL[done..].iter().map(|step| format!("setup.{}", step.name())).collect::<Vec<_>>());
        events.extend(when(&events, OrganizationCommand::CompleteSetupStep(step)).unwrap());
        assert_eq!(when(&events, OrganizationCommand::CompleteSetupStep(step)), Err(OrganizationError::NoSuchStep));
    }
    assert!(when(&events, OrganizationCommand::Activate).is_ok());
    assert_eq!(when(&[created()], OrganizationCommand::CompleteSetupStep(SetupStep::DomainConfigured)), Err(OrganizationError::NoSuchStep));
}

#[test]
fn a_cancelled_deletion_leads_back_to_what_was() {
    for before in [OrganizationStatus::Active, OrganizationStatus::PaymentDue, OrganizationStatus::Suspended] {
        let mut events = history(before);
        for command in [OrganizationCommand::RequestDeletion, OrganizationCommand::CancelDeletion] {
            events.extend(when(&events, command).unwrap());
        }
        assert_eq!(given(&events).profile().map(|profile| profile.status), Some(before));
        assert_eq!(when(&events, OrganizationCommand::CancelDeletion), Err(OrganizationError::NothingToCancel));
    }
}

#[test]
fn the_platform_stands_for_ever() {
    let platform =
        OrganizationCreated { organization_id: OrganizationId::PLATFORM, name: "P".into(), slug: "pp".into(), default_locale: Locale::En };
    for command in [suspend(None), OrganizationCommand::RequestDeletion, OrganizationCommand::MarkPaymentDue] {
        assert_eq!(when(&[platform.clone().into()], command), Err(OrganizationError::PlatformOrganization));
    }
}

#[test]
fn a_slug_is_a_label_that_is_not_reserved() {
    for good in ["ab", "a1", "1a", "acme", "acme-fr", "a-b-c", &"a".repeat(63)] {
        assert!(when(&[], create(good)).is_ok(), "{good}");
    }
    for bad in ["", "a", "-ab", "ab-", "a--b", "Acme", "a_b", "a b", "é1", "a.b", &"a".repeat(64)] {
        assert_eq!(when(&[], create(bad)), Err(OrganizationError::SlugInvalid), "{bad}");
    }
    for reserved in ["api", "www", "admin", "platform"] {
        assert_eq!(when(&[], create(reserved)), Err(OrganizationError::SlugReserved), "{reserved}");
    }
}

#[test]
fn a_name_is_one_readable_line() {
    for bad in ["", " ", " Acme", "Acme ", "Ac\nme", &"a".repeat(201)] {
        let command = OrganizationCommand::Create(CreateOrganization {
            organization_id: ACME,
            name: bad.into(),
            slug: "acme".into(),
            default_locale: Locale::En,
            with_setup: false,
        });
        assert_eq!(when(&[], command), Err(OrganizationError::NameInvalid), "{bad:?}");
    }
}

#[test]
fn a_reason_is_optional_and_bounded() {
    assert!(when(&[created()], suspend(None)).is_ok());
    assert!(when(&[created()], suspend(Some(&"é".repeat(500)))).is_ok());
    for bad in ["", "  ", &"a".repeat(501)] {
        assert_eq!(when(&[created()], suspend(Some(bad))), Err(OrganizationError::ReasonInvalid));
    }
}

#[test]
fn refusals_say_their_code_and_field() {
    assert_eq!(OrganizationError::SlugReserved.code(), Code::ValidationError);
    assert_eq!(OrganizationError::SlugReserved.field(), Some("slug"));
    assert_eq!(OrganizationError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!(OrganizationError::SetupIncomplete(Vec::new()).code(), Code::Conflict);
}
