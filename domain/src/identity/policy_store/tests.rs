//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, Digest, Facts, PolicyId, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const NIGHTS: PolicyId = PolicyId(Uuid::from_u128(1));
const COACHES: PolicyId = PolicyId(Uuid::from_u128(2));
const TEMPLATE: PolicyId = PolicyId(Uuid::from_u128(3));
const DIGEST: Digest = Digest([7; 32]);
const FORBID: &str = "forbid (principal, action, resource);";

fn given(events: &[PolicyStoreEvent]) -> PolicyStore {
    events.iter().fold(PolicyStore::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[PolicyStoreEvent], command: PolicyStoreCommand) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

fn write(policy_id: PolicyId, name: &str) -> PolicyStoreCommand {
    PolicyStoreCommand::WritePolicy(WritePolicy { policy_id, name: name.into(), text: FORBID.into() })
}

fn written(policy_id: PolicyId, name: &str) -> PolicyStoreEvent {
    PolicyWritten { policy_id, name: name.into(), text: FORBID.into() }.into()
}

fn template() -> PolicyStoreEvent {
    PolicyTemplateWritten { policy_id: TEMPLATE, name: "one-person".into(), text: "a template".into() }.into()
}

fn instance(policy_id: PolicyId) -> InstantiatePolicy {
    let owner = PolicyResource::Owner(UserId(Uuid::from_u128(9)));
    InstantiatePolicy { policy_id, template_id: TEMPLATE, name: "ann".into(), principal: None, resource: Some(owner), text: FORBID.into() }
}

fn instantiated(policy_id: PolicyId) -> PolicyStoreEvent {
    let InstantiatePolicy { policy_id, template_id, name, principal, resource, text } = instance(policy_id);
    PolicyInstantiated { policy_id, template_id, name, principal, resource, text }.into()
}

fn revoked(policy_id: PolicyId) -> PolicyStoreEvent {
    PolicyRevoked { policy_id }.into()
}

fn activated(version: u32) -> PolicyStoreEvent {
    PolicyVersionActivated { version, digest: DIGEST }.into()
}

fn activate() -> PolicyStoreCommand {
    PolicyStoreCommand::ActivateDraft { digest: DIGEST }
}

fn holding(store: &PolicyStore) -> Vec<String> {
    store.live().map(|live| live.policies.into_iter().map(|policy| policy.name).collect()).unwrap_or_default()
}

/// covers: H-30
#[test]
fn what_is_written_holds_once_the_draft_is_activated() {
    assert_eq!(when(&[], write(NIGHTS, "nights")), Ok(vec![written(NIGHTS, "nights")]));
    let draft = [written(NIGHTS, "nights")];
    assert_eq!((given(&draft).holds(), given(&draft).draft().count()), (None, 1));
    assert_eq!(when(&draft, activate()), Ok(vec![activated(1)]));
    let live = [written(NIGHTS, "nights"), activated(1), written(COACHES, "coaches")];
    assert_eq!(given(&live).holds(), Some((1, DIGEST)));
    assert_eq!(holding(&given(&live)), ["nights"]);
    assert_eq!(when(&live, activate()), Ok(vec![activated(2)]));
}

#[test]
fn a_draft_that_says_what_holds_is_not_activated() {
    assert_eq!(when(&[], activate()), Err(PolicyStoreError::NothingChanged));
    let live = [written(NIGHTS, "nights"), activated(1)];
    assert_eq!(when(&live, activate()), Err(PolicyStoreError::NothingChanged));
    let emptied = [written(NIGHTS, "nights"), activated(1), revoked(NIGHTS)];
    assert_eq!(when(&emptied, activate()), Ok(vec![activated(2)]));
}

#[test]
fn a_revoked_policy_holds_until_the_next_version_and_again_with_an_earlier_one() {
    assert_eq!(when(&[written(NIGHTS, "nights")], PolicyStoreCommand::RevokePolicy(NIGHTS)), Ok(vec![revoked(NIGHTS)]));
    let mut events = vec![written(NIGHTS, "nights"), activated(1), revoked(NIGHTS)];
    assert_eq!(holding(&given(&events)), ["nights"]);
    assert_eq!(when(&events, PolicyStoreCommand::RevokePolicy(NIGHTS)), Err(PolicyStoreError::PolicyNotFound));
    events.push(activated(2));
    assert!(holding(&given(&events)).is_empty());
    assert_eq!(when(&events, PolicyStoreCommand::ActivateVersion(1)), Ok(vec![activated(1)]));
    events.push(activated(1));
    assert_eq!(holding(&given(&events)), ["nights"]);
    // The draft stays as it is, and the next version is a new one.
    events.push(written(COACHES, "coaches"));
    assert_eq!(when(&events, activate()), Ok(vec![activated(3)]));
}

#[test]
fn a_version_that_holds_or_never_was_is_not_activated() {
    let live = [written(NIGHTS, "nights"), activated(1)];
    assert_eq!(when(&live, PolicyStoreCommand::ActivateVersion(1)), Err(PolicyStoreError::VersionHolds));
    assert_eq!(when(&live, PolicyStoreCommand::ActivateVersion(2)), Err(PolicyStoreError::VersionNotFound));
    assert_eq!(when(&[], PolicyStoreCommand::ActivateVersion(0)), Err(PolicyStoreError::VersionNotFound));
}

#[test]
fn the_last_versions_are_kept_and_the_texts_that_they_need() {
    let mut events = vec![written(NIGHTS, "nights"), activated(1), revoked(NIGHTS)];
    let versions = u32::try_from(aggregate::VERSIONS_KEPT).unwrap() + 1;
    events.extend((2..versions).map(activated));
    assert!(given(&events).version(1).is_some_and(|mut policies| policies.any(|policy| policy.name == "nights")));
    events.push(activated(versions));
    let store = given(&events);
    assert!(store.version(1).is_none() && store.version(2).is_some());
    assert!(!serde_json::to_string(&store).unwrap().contains("nights"));
    // The one that held last is kept, however old.
    events.push(activated(2));
    events.extend([written(COACHES, "coaches"), activated(versions + 1)]);
    assert_eq!(given(&events).version(2).map(Iterator::count), Some(0));
    assert!(given(&events).version(3).is_none());
}

/// covers: H-32, H-33
#[test]
fn a_policy_is_made_of_a_template_that_cannot_go_while_it_is_needed() {
    let write = WriteTemplate { policy_id: TEMPLATE, name: "one-person".into(), text: "a template".into() };
    assert_eq!(when(&[], PolicyStoreCommand::WriteTemplate(write.clone())), Ok(vec![template()]));
    assert_eq!(when(&[template()], PolicyStoreCommand::WriteTemplate(write)), Err(PolicyStoreError::AlreadyExists));
    let make = PolicyStoreCommand::Instantiate(instance(NIGHTS));
    assert_eq!(when(&[template()], make.clone()), Ok(vec![instantiated(NIGHTS)]));
    assert_eq!(when(&[], make.clone()), Err(PolicyStoreError::TemplateNotFound));

    let revoke = PolicyStoreCommand::RevokeTemplate(TEMPLATE);
    let gone: PolicyStoreEvent = PolicyTemplateRevoked { policy_id: TEMPLATE }.into();
    assert_eq!(when(&[template()], revoke.clone()), Ok(vec![gone.clone()]));
    let mut events = vec![template(), instantiated(NIGHTS)];
    assert_eq!(when(&events, revoke.clone()), Err(PolicyStoreError::TemplateInUse));
    events.extend([activated(1), revoked(NIGHTS)]);
    assert_eq!(when(&events, revoke.clone()), Err(PolicyStoreError::TemplateInUse), "it holds still");
    events.push(activated(2));
    assert_eq!(when(&events, revoke.clone()), Ok(vec![gone.clone()]));
    events.push(gone);
    assert_eq!(when(&events, revoke), Err(PolicyStoreError::TemplateNotFound));
    assert_eq!(when(&events, make), Err(PolicyStoreError::TemplateNotFound));
}

#[test]
fn names_are_good_for_the_log_and_unique_in_the_draft() {
    for bad in ["", "Nights", "a b", "a@1", "1a", "-a", "a.b", &"x".repeat(65)] {
        assert_eq!(when(&[], write(NIGHTS, bad)), Err(PolicyStoreError::NameInvalid), "{bad:?}");
    }
    let draft = [written(NIGHTS, "nights"), template()];
    assert_eq!(when(&draft, write(COACHES, "nights")), Err(PolicyStoreError::NameTaken));
    assert_eq!(when(&draft, write(COACHES, "one-person")), Err(PolicyStoreError::NameTaken));
    assert_eq!(when(&draft, write(NIGHTS, "days")), Err(PolicyStoreError::AlreadyExists));
    let free = [written(NIGHTS, "nights"), activated(1), revoked(NIGHTS)];
    assert!(when(&free, write(COACHES, "nights")).is_ok());
}

#[test]
fn numbers_and_texts_are_bounded() {
    let long = |policy_id, bytes| WritePolicy { policy_id, name: "long".into(), text: "x".repeat(bytes) };
    let write_long = |bytes| PolicyStoreCommand::WritePolicy(long(NIGHTS, bytes));
    assert!(when(&[], write_long(aggregate::TEXT_MAX_BYTES)).is_ok());
    assert_eq!(when(&[], write_long(aggregate::TEXT_MAX_BYTES + 1)), Err(PolicyStoreError::TextTooLong));

    let many = |count: usize, text: &str| -> Vec<PolicyStoreEvent> {
        let id = |n: usize| PolicyId(Uuid::from_u128(100 + n as u128));
        (0..count).map(|n| PolicyWritten { policy_id: id(n), name: format!("p{n}"), text: text.into() }.into()).collect()
    };
    assert_eq!(when(&many(aggregate::POLICIES_MAX, FORBID), write(NIGHTS, "nights")), Err(PolicyStoreError::TooManyPolicies));
    let texts = many(aggregate::DRAFT_TEXT_MAX_BYTES / aggregate::TEXT_MAX_BYTES, &"x".repeat(aggregate::TEXT_MAX_BYTES));
    assert_eq!(when(&texts, write(NIGHTS, "nights")), Err(PolicyStoreError::DraftTooLarge));

    let id = |n: usize| PolicyId(Uuid::from_u128(100 + n as u128));
    let full =
        (0..aggregate::TEMPLATES_MAX).map(|n| PolicyTemplateWritten { policy_id: id(n), name: format!("t{n}"), text: "t".into() }.into());
    let one_more = WriteTemplate { policy_id: TEMPLATE, name: "one-more".into(), text: "t".into() };
    let full: Vec<_> = full.collect();
    assert_eq!(when(&full, PolicyStoreCommand::WriteTemplate(one_more)), Err(PolicyStoreError::TooManyTemplates));
}

#[test]
fn refusals_say_what_is_to_blame() {
    assert_eq!(PolicyStoreError::VersionNotFound.code(), Code::ResourceNotFound);
    assert_eq!(PolicyStoreError::TextTooLong.field(), Some("text"));
    assert_eq!(PolicyStoreError::NameTaken.field(), Some("name"));
}

// covers: H-97
#[test]
fn a_store_is_seeded_once_and_before_anybody_wrote_into_it() {
    let seed = || PolicyStoreCommand::Seed { digest: DIGEST };
    assert_eq!(when(&[], seed()), Ok(vec![activated(1)]));
    assert_eq!(when(&[activated(1)], seed()), Err(PolicyStoreError::NothingChanged));
    assert_eq!(when(&[activated(1)], activate()), Err(PolicyStoreError::NothingChanged));
    let early = [written(PolicyId(Uuid::from_u128(70)), "early")];
    assert_eq!(when(&early, seed()), Err(PolicyStoreError::NothingChanged), "what somebody wrote does not come to hold by the way");
    let state = given(&[activated(1)]);
    assert_eq!(state.live().map(|live| (live.version, live.policies.len())), Some((1, 0)));
}
