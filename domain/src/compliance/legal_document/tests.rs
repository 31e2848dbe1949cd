//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    compliance::{ConsentType, DocumentVersion},
    kernel::{Aggregate, Digest, Facts, LegalDocumentId, UserId},
    organizations::Locale,
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: LegalDocumentId = LegalDocumentId(Uuid::from_u128(1));
const TERMS: ConsentType = ConsentType::TermsOfService;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn version(name: &str) -> DocumentVersion {
    name.to_owned().try_into().unwrap()
}

fn given(events: &[LegalDocumentEvent]) -> LegalDocuments {
    events.iter().fold(LegalDocuments::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[LegalDocumentEvent], command: PublishLegalDocument) -> Result<Vec<LegalDocumentEvent>, LegalDocumentError> {
    let facts = Facts { now: at(0), actor: UserId(Uuid::from_u128(9)) };
    given(events).decide(&LegalDocumentCommand::Publish(command), &facts)
}

fn publish(name: &str, language: Locale, effective_at: Option<i64>) -> PublishLegalDocument {
    PublishLegalDocument {
        document_id: ID,
        consent_type: TERMS,
        version: version(name),
        language,
        digest: Digest([1; 32]),
        text: Some("Be kind.".into()),
        url: None,
        effective_at: effective_at.map(at),
    }
}

fn published(name: &str, language: Locale, effective_at: i64) -> LegalDocumentEvent {
    LegalDocumentPublished {
        document_id: ID,
        consent_type: TERMS,
        version: version(name),
        language,
        digest: Digest([1; 32]),
        text: Some("Be kind.".into()),
        url: None,
        effective_at: at(effective_at),
    }
    .into()
}

#[test]
fn a_version_is_in_force_from_its_moment_until_the_next_ones() {
    assert_eq!(when(&[], publish("1", Locale::En, None)), Ok(vec![published("1", Locale::En, 0)]));
    let state = given(&[published("1", Locale::En, 0), published("2", Locale::En, 60), published("2", Locale::Fr, 60)]);
    for (seconds, name) in [(-1, None), (0, Some("1")), (59, Some("1")), (60, Some("2")), (600, Some("2"))] {
        assert_eq!(state.in_force(TERMS, at(seconds)), name.map(version).as_ref(), "at {seconds}");
    }
    assert_eq!(state.in_force(ConsentType::Marketing, at(60)), None);
    assert!(state.text(TERMS, &version("2"), Locale::Fr).is_some());
    assert!(state.text(TERMS, &version("1"), Locale::Fr).is_none());
}

#[test]
fn nothing_is_published_into_the_past_or_before_a_version_that_is_there() {
    assert_eq!(when(&[], publish("1", Locale::En, Some(-1))), Err(LegalDocumentError::EffectiveTooEarly));
    let history = [published("1", Locale::En, 60)];
    for earlier in [None, Some(30), Some(60)] {
        assert_eq!(when(&history, publish("2", Locale::En, earlier)), Err(LegalDocumentError::EffectiveTooEarly), "{earlier:?}");
    }
    assert!(when(&history, publish("2", Locale::En, Some(61))).is_ok());
    let other = PublishLegalDocument { consent_type: ConsentType::Marketing, ..publish("2", Locale::En, None) };
    assert!(when(&history, other).is_ok(), "another type has versions of its own");
}

#[test]
fn a_version_is_in_force_within_two_years() {
    let two_years = (365 + 365) * 24 * 60 * 60;
    assert!(when(&[], publish("1", Locale::En, Some(two_years))).is_ok());
    assert_eq!(when(&[], publish("1", Locale::En, Some(two_years + 1))), Err(LegalDocumentError::EffectiveTooLate));
    // What was published for later keeps its moment, in whatever language.
    let history = [published("1", Locale::En, two_years + 1)];
    assert_eq!(when(&history, publish("1", Locale::Fr, None)), Ok(vec![published("1", Locale::Fr, two_years + 1)]));
}

#[test]
fn a_version_has_one_text_in_each_language_and_one_moment() {
    let history = [published("1", Locale::En, 60)];
    assert_eq!(when(&history, publish("1", Locale::En, None)), Err(LegalDocumentError::AlreadyPublished));
    for moment in [None, Some(60)] {
        assert_eq!(when(&history, publish("1", Locale::Fr, moment)), Ok(vec![published("1", Locale::Fr, 60)]));
    }
    assert_eq!(when(&history, publish("1", Locale::Fr, Some(61))), Err(LegalDocumentError::EffectiveElsewhen));
}

#[test]
fn a_document_is_a_text_or_an_address() {
    let with = |text: Option<&str>, url: Option<&str>| {
        let content = (text.map(str::to_owned), url.map(str::to_owned));
        when(&[], PublishLegalDocument { text: content.0, url: content.1, ..publish("1", Locale::En, None) }).map(drop)
    };
    assert_eq!(with(Some("Be kind."), None), Ok(()));
    assert_eq!(with(None, Some("https://acme.example/terms.html")), Ok(()));
    let long = "x".repeat(TEXT_MAX_BYTES + 1);
    for (text, url) in [
        (None, None),
        (Some("Be kind."), Some("https://acme.example/")),
        (Some(" "), None),
        (Some(long.as_str()), None),
        (None, Some("http://acme.example/")),
    ] {
        assert_eq!(with(text, url), Err(LegalDocumentError::ContentInvalid), "{url:?}");
    }
}
