//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, Facts, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const GLOBEX: OrganizationId = OrganizationId(Uuid::from_u128(2));

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn acme() -> DomainName {
    name("acme.example")
}

fn when(events: &[DomainEvent], command: DomainCommand) -> Result<Vec<DomainEvent>, DomainError> {
    let facts = Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::from_u128(9)) };
    given(events).decide(&command, &facts)
}

fn given(events: &[DomainEvent]) -> Domain {
    events.iter().fold(Domain::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn claim() -> DomainCommand {
    DomainCommand::Claim { organization_id: ACME, domain: acme() }
}

fn verify() -> DomainCommand {
    DomainCommand::Verify { records: vec!["v=spf1 -all".to_owned(), Challenge::of(ACME, &acme()).value] }
}

fn claimed() -> DomainEvent {
    DomainClaimed { organization_id: ACME, domain: acme() }.into()
}

fn verified() -> DomainEvent {
    DomainVerified { organization_id: ACME, domain: acme() }.into()
}

fn joins(mode: AutoJoin) -> DomainEvent {
    AutoJoinSet { organization_id: ACME, domain: acme(), mode }.into()
}

fn released() -> DomainEvent {
    DomainReleased { organization_id: ACME, domain: acme() }.into()
}

/// covers: E-137, E-138
#[test]
fn a_domain_is_claimed_verified_opened_and_released() {
    assert_eq!(when(&[], claim()), Ok(vec![claimed()]));
    assert_eq!(when(&[claimed()], verify()), Ok(vec![verified()]));
    for mode in [AutoJoin::Approval, AutoJoin::Automatic] {
        assert_eq!(when(&[claimed(), verified()], DomainCommand::SetAutoJoin(mode)), Ok(vec![joins(mode)]));
        assert_eq!(given(&[claimed(), verified(), joins(mode)]).auto_join(), mode);
        assert_eq!(when(&[claimed(), verified(), joins(mode)], DomainCommand::SetAutoJoin(mode)), Ok(vec![]));
    }
    assert_eq!(when(&[claimed(), verified()], DomainCommand::SetAutoJoin(AutoJoin::Off)), Ok(vec![]));
    for history in [vec![claimed()], vec![claimed(), verified()]] {
        assert_eq!(when(&history, DomainCommand::Release), Ok(vec![released()]));
    }
}

/// covers: E-138
#[test]
fn nothing_opens_before_the_domain_is_verified() {
    for mode in [AutoJoin::Off, AutoJoin::Approval, AutoJoin::Automatic] {
        assert_eq!(when(&[claimed()], DomainCommand::SetAutoJoin(mode)), Err(DomainError::NotVerified));
    }
    assert_eq!(given(&[claimed()]).auto_join(), AutoJoin::Off);
    assert!(!given(&[claimed()]).is_verified() && given(&[claimed(), verified()]).is_verified());
}

#[test]
fn only_the_record_of_this_organization_and_domain_proves_it() {
    let challenge = |organization, domain: &str| Challenge::of(organization, &name(domain)).value;
    for records in [
        vec![],
        vec!["palmares-verification=".to_owned()],
        vec![challenge(GLOBEX, "acme.example")],
        vec![challenge(ACME, "www.acme.example")],
        vec![challenge(ACME, "acme.example").to_uppercase()],
    ] {
        assert_eq!(
            when(&[claimed()], DomainCommand::Verify { records: records.clone() }),
            Err(DomainError::ChallengeMissing),
            "{records:?}"
        );
    }
    assert_eq!(Challenge::of(ACME, &acme()).name, "_palmares-challenge.acme.example");
}

#[test]
fn what_is_not_a_step_from_here_is_refused() {
    let gone = [claimed(), verified(), joins(AutoJoin::Automatic), released()];
    for history in [&[][..], &gone[..]] {
        for command in [verify(), DomainCommand::SetAutoJoin(AutoJoin::Automatic), DomainCommand::Release] {
            assert_eq!(when(history, command), Err(DomainError::NotFound));
        }
    }
    assert_eq!(when(&[claimed()], claim()), Err(DomainError::AlreadyClaimed));
    assert_eq!(when(&[claimed(), verified()], claim()), Err(DomainError::AlreadyClaimed));
    assert_eq!(when(&[claimed(), verified()], verify()), Err(DomainError::AlreadyVerified));
}

#[test]
fn a_released_domain_begins_anew() {
    let history = [claimed(), verified(), joins(AutoJoin::Automatic), released()];
    assert_eq!(when(&history, claim()), Ok(vec![claimed()]));
    let again = given(&[&history[..], &[claimed()]].concat());
    assert!(!again.is_verified() && again.auto_join() == AutoJoin::Off);
}

#[test]
fn a_domain_of_everyone_is_nobodys() {
    for shared in ["gmail.com", "GMail.com.", "outlook.com", "co.uk"] {
        let command = DomainCommand::Claim { organization_id: ACME, domain: name(shared) };
        assert_eq!(when(&[], command), Err(DomainError::Shared), "{shared}");
    }
    assert_eq!((DomainError::Shared.code(), DomainError::Shared.field()), (Code::ValidationError, Some("domain")));
}

#[test]
fn a_name_has_one_form() {
    for (text, form) in [
        ("Acme.Example", "acme.example"),
        ("acme.example.", "acme.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("a-b.c1.example", "a-b.c1.example"),
    ] {
        assert_eq!(name(text).as_str(), form);
    }
    let long = format!("{}.example", "a".repeat(64));
    let longer = format!("{}example", "abcdefghij.".repeat(24));
    for bad in [
        "",
        ".",
        "acme",
        "acme..example",
        ".acme.example",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b.example",
        "10.0.0.1",
        &long,
        &longer,
    ] {
        assert_eq!(bad.parse::<DomainName>(), Err(MalformedDomain), "{bad}");
    }
    assert_eq!(DomainName::of_email("Ann@Acme.Example"), Some(acme()));
    assert_eq!(DomainName::of_email("nobody"), None);
}
