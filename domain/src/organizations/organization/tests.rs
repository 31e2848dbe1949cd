//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    kernel::{Aggregate, Code, Facts, OrganizationId, Refusal, UserId},
    organizations::Locale,
};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn facts() -> Facts {
    Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::from_u128(9)) }
}

fn given(events: &[OrganizationEvent]) -> Organization {
    events.iter().fold(Organization::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[OrganizationEvent], command: OrganizationCommand) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    given(events).decide(&command, &facts())
}

fn create(slug: &str) -> OrganizationCommand {
    OrganizationCommand::Create(CreateOrganization {
        organization_id: ACME,
        name: "Acme".into(),
        slug: slug.into(),
        default_locale: Locale::Fr,
    })
}

fn suspend(reason: Option<&str>) -> OrganizationCommand {
    OrganizationCommand::Suspend(SuspendOrganization { reason: reason.map(Into::into) })
}

fn resume() -> OrganizationCommand {
    OrganizationCommand::Resume(ResumeOrganization)
}

fn created() -> OrganizationEvent {
    OrganizationCreated { organization_id: ACME, name: "Acme".into(), slug: "acme".into(), default_locale: Locale::Fr }.into()
}

fn suspended() -> OrganizationEvent {
    OrganizationSuspended { organization_id: ACME, reason: Some("unpaid".into()) }.into()
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

#[test]
fn every_other_transition_is_refused() {
    use OrganizationError::*;
    let absent: &[OrganizationEvent] = &[];
    let active: &[OrganizationEvent] = &[created()];
    let stopped: &[OrganizationEvent] = &[created(), suspended()];
    for (state, command, error) in [
        (absent, suspend(None), NotFound),
        (absent, resume(), NotFound),
        (active, create("acme"), AlreadyExists),
        (active, resume(), NotSuspended),
        (stopped, create("acme"), AlreadyExists),
        (stopped, suspend(None), AlreadySuspended),
    ] {
        assert_eq!(when(state, command), Err(error));
    }
}

#[test]
fn the_platform_is_never_suspended() {
    let platform =
        OrganizationCreated { organization_id: OrganizationId::PLATFORM, name: "P".into(), slug: "pp".into(), default_locale: Locale::En };
    assert_eq!(when(&[platform.into()], suspend(None)), Err(OrganizationError::PlatformOrganization));
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
    assert_eq!(OrganizationError::AlreadySuspended.code(), Code::Conflict);
}
