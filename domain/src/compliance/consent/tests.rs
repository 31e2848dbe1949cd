//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    kernel::{Aggregate, ConsentId, Digest, Facts, UserId},
    organizations::Locale,
};
use chrono::DateTime;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(1));
const FIRST: ConsentId = ConsentId(Uuid::from_u128(2));
const SECOND: ConsentId = ConsentId(Uuid::from_u128(3));
const TERMS: ConsentType = ConsentType::TermsOfService;
const TEXT: Digest = Digest([7; 32]);

fn version(name: &str) -> DocumentVersion {
    name.to_owned().try_into().unwrap()
}

fn given(events: &[ConsentEvent]) -> Consents {
    events.iter().fold(Consents::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[ConsentEvent], command: ConsentCommand) -> Result<Vec<ConsentEvent>, ConsentError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ALICE })
}

fn give(consent_id: ConsentId, consent_type: ConsentType, name: &str) -> ConsentCommand {
    let (policy_version, language) = (version(name), Locale::En);
    ConsentCommand::Give(GiveConsent { consent_id, user_id: ALICE, consent_type, policy_version, language, document_digest: TEXT })
}

fn granted(consent_id: ConsentId, consent_type: ConsentType, name: &str) -> ConsentEvent {
    let (policy_version, language) = (version(name), Locale::En);
    ConsentGranted { consent_id, user_id: ALICE, consent_type, policy_version, language, document_digest: TEXT }.into()
}

fn renewed(consent_id: ConsentId, name: &str) -> ConsentEvent {
    let (policy_version, language) = (version(name), Locale::En);
    ConsentRenewed { consent_id, user_id: ALICE, consent_type: TERMS, policy_version, language, document_digest: TEXT }.into()
}

fn revoked(consent_id: ConsentId) -> ConsentEvent {
    ConsentRevoked { consent_id, user_id: ALICE, consent_type: TERMS }.into()
}

/// covers: E-175
#[test]
fn a_consent_is_granted_to_one_version() {
    assert_eq!(when(&[], give(FIRST, TERMS, "1")), Ok(vec![granted(FIRST, TERMS, "1")]));
    let state = given(&[granted(FIRST, TERMS, "1")]);
    assert!(state.accepts(TERMS, &version("1")));
    assert!(!state.accepts(TERMS, &version("2")) && !state.accepts(ConsentType::Marketing, &version("1")));
    assert_eq!(when(&[granted(FIRST, TERMS, "1")], give(SECOND, TERMS, "1")), Err(ConsentError::AlreadyGiven));
    let other = give(SECOND, ConsentType::Marketing, "1");
    assert_eq!(when(&[granted(FIRST, TERMS, "1")], other), Ok(vec![granted(SECOND, ConsentType::Marketing, "1")]));
}

#[test]
fn another_version_renews_the_same_consent() {
    let history = [granted(FIRST, TERMS, "1")];
    assert_eq!(when(&history, give(SECOND, TERMS, "2")), Ok(vec![renewed(FIRST, "2")]));
    let state = given(&[granted(FIRST, TERMS, "1"), renewed(FIRST, "2")]);
    assert!(state.accepts(TERMS, &version("2")) && !state.accepts(TERMS, &version("1")));
}

/// covers: E-175
#[test]
fn what_is_revoked_stays_revoked_and_a_new_consent_is_another_one() {
    let history = [granted(FIRST, TERMS, "1")];
    assert_eq!(when(&history, ConsentCommand::Revoke(FIRST)), Ok(vec![revoked(FIRST)]));
    let over = [granted(FIRST, TERMS, "1"), revoked(FIRST)];
    assert!(given(&over).held(TERMS).is_none());
    assert_eq!(when(&over, ConsentCommand::Revoke(FIRST)), Err(ConsentError::AlreadyRevoked));
    assert_eq!(when(&over, give(SECOND, TERMS, "1")), Ok(vec![granted(SECOND, TERMS, "1")]));
    assert_eq!(when(&history, ConsentCommand::Revoke(SECOND)), Err(ConsentError::NotFound));
    assert_eq!(when(&[], ConsentCommand::Revoke(FIRST)), Err(ConsentError::NotFound));
}

#[test]
fn a_version_has_an_opaque_name() {
    for name in ["1", "2026-01", "v3.1_draft", &"x".repeat(40)] {
        assert!(DocumentVersion::try_from(name.to_owned()).is_ok(), "{name}");
    }
    for name in ["", " 1", "1/2", "é", &"x".repeat(41)] {
        assert_eq!(DocumentVersion::try_from(name.to_owned()), Err(MalformedVersion), "{name}");
    }
}

#[test]
fn every_type_is_known_by_its_name() {
    for kind in ConsentType::ALL {
        assert_eq!(ConsentType::parse(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert!(!kind.data().is_empty());
    }
    assert_eq!(ConsentType::parse("other"), None);
}
