//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    identity::{Rights, role_catalogue::GRANTS_MAX},
    kernel::{Aggregate, ApiKeyId, Code, Digest, Facts, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(1));
const FIRST: Digest = Digest([1; 32]);
const SECOND: Digest = Digest([2; 32]);
const THIRD: Digest = Digest([3; 32]);
const PLAN: Quota = Quota { requests: 100, per: QuotaPeriod::Minute };

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn given(events: &[ApiKeyEvent]) -> ApiKey {
    events.iter().fold(ApiKey::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when_at(hours: i64, events: &[ApiKeyEvent], command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
    given(events).decide(&command, &Facts { now: at(hours), actor: UserId(Uuid::nil()) })
}

fn when(events: &[ApiKeyEvent], command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
    when_at(0, events, command)
}

fn creation() -> CreateApiKey {
    let grants = ["points.credit".parse().unwrap()].into();
    CreateApiKey { key_id: KEY, name: "Payroll".into(), grants, quota: PLAN, secret: FIRST, expires_at: Some(at(48)) }
}

fn created() -> ApiKeyEvent {
    let CreateApiKey { key_id, name, grants, quota, secret, expires_at } = creation();
    ApiKeyCreated { key_id, name, grants: grants.into_iter().collect(), quota, secret, expires_at }.into()
}

fn rotated(secret: Digest, former_until: DateTime<Utc>) -> ApiKeyEvent {
    ApiKeyRotated { key_id: KEY, secret, former_until }.into()
}

fn revoked() -> ApiKeyEvent {
    ApiKeyRevoked { key_id: KEY }.into()
}

fn rotate(secret: Digest, overlap: TimeDelta) -> ApiKeyCommand {
    ApiKeyCommand::Rotate(RotateApiKey { secret, overlap })
}

fn good(events: &[ApiKeyEvent], hours: i64) -> Vec<Digest> {
    given(events).issued().unwrap().good_secrets(at(hours)).collect()
}

/// Whatever is asked of a key that is there.
fn steps() -> [ApiKeyCommand; 3] {
    let quota = Quota { requests: 5, per: QuotaPeriod::Day };
    [rotate(SECOND, TimeDelta::zero()), ApiKeyCommand::SetQuota(quota), ApiKeyCommand::Revoke]
}

/// covers: P-33
#[test]
fn a_key_is_made_with_what_it_may_and_how_often() {
    assert_eq!(when(&[], ApiKeyCommand::Create(creation())), Ok(vec![created()]));
    let state = given(&[created()]);
    let key = state.issued().unwrap();
    assert_eq!((key.quota(), good(&[created()], 0)), (PLAN, vec![FIRST]));
    let rights = Rights::new([key.role()]);
    assert!(rights.permit("points.credit.create") && !rights.permit("points.debit.create"));
}

#[test]
fn a_key_is_made_once() {
    for events in [vec![created()], vec![created(), revoked()]] {
        assert_eq!(when(&events, ApiKeyCommand::Create(creation())), Err(ApiKeyError::AlreadyExists));
    }
}

#[test]
fn what_a_key_is_made_of_is_bounded() {
    let refused = |change: &dyn Fn(&mut CreateApiKey)| {
        let mut command = creation();
        change(&mut command);
        when(&[], ApiKeyCommand::Create(command)).unwrap_err()
    };
    for bad in ["", " ", " Payroll", "Pay\nroll", &"x".repeat(101)] {
        assert_eq!(refused(&|key| key.name = bad.to_owned()), ApiKeyError::NameInvalid, "{bad:?}");
    }
    assert_eq!(refused(&|key| key.grants.clear()), ApiKeyError::GrantCountInvalid);
    let many = |key: &mut CreateApiKey| key.grants = (0..=GRANTS_MAX).map(|n| format!("points.p{n}").parse().unwrap()).collect();
    assert_eq!(refused(&many), ApiKeyError::GrantCountInvalid);
    for requests in [0, 100_000_001] {
        assert_eq!(refused(&|key| key.quota.requests = requests), ApiKeyError::QuotaInvalid, "{requests}");
        let set = ApiKeyCommand::SetQuota(Quota { requests, ..PLAN });
        assert_eq!(when(&[created()], set), Err(ApiKeyError::QuotaInvalid), "{requests}");
    }
    for end in [at(-1), at(0)] {
        assert_eq!(refused(&|key| key.expires_at = Some(end)), ApiKeyError::ExpiryInvalid);
    }
    let mut forever = creation();
    forever.expires_at = None;
    assert!(when(&[], ApiKeyCommand::Create(forever)).is_ok());
}

/// covers: P-33
#[test]
fn a_new_secret_takes_the_place_of_the_old_one_at_once() {
    assert_eq!(when(&[created()], rotate(SECOND, TimeDelta::zero())), Ok(vec![rotated(SECOND, at(0))]));
    assert_eq!(good(&[created(), rotated(SECOND, at(0))], 0), [SECOND]);
}

#[test]
fn both_secrets_are_good_for_an_overlap_of_at_most_a_day() {
    let events = [created(), rotated(SECOND, at(24))];
    assert_eq!(when(&[created()], rotate(SECOND, OVERLAP_MAX)), Ok(vec![events[1].clone()]));
    assert_eq!(good(&events, 23), [SECOND, FIRST]);
    assert_eq!(good(&events, 24), [SECOND]);
    for overlap in [OVERLAP_MAX + TimeDelta::seconds(1), TimeDelta::seconds(-1)] {
        assert_eq!(when(&[created()], rotate(SECOND, overlap)), Err(ApiKeyError::OverlapInvalid));
    }
}

#[test]
fn of_former_secrets_only_the_last_one_overlaps() {
    assert_eq!(good(&[created(), rotated(SECOND, at(24)), rotated(THIRD, at(25))], 1), [THIRD, SECOND]);
    assert_eq!(good(&[created(), rotated(SECOND, at(24)), rotated(THIRD, at(1))], 1), [THIRD], "the first came back");
}

#[test]
fn a_quota_is_set_and_setting_the_same_one_changes_nothing() {
    let quota = Quota { requests: 5, per: QuotaPeriod::Day };
    let set: ApiKeyEvent = ApiKeyQuotaSet { key_id: KEY, quota }.into();
    assert_eq!(when(&[created()], ApiKeyCommand::SetQuota(quota)), Ok(vec![set.clone()]));
    assert_eq!(given(&[created(), set]).issued().unwrap().quota(), quota);
    assert_eq!(when(&[created()], ApiKeyCommand::SetQuota(PLAN)), Ok(vec![]));
}

/// covers: P-33
#[test]
fn a_revoked_key_opens_nothing_and_stays_revoked() {
    assert_eq!(when(&[created()], ApiKeyCommand::Revoke), Ok(vec![revoked()]));
    let after = [created(), rotated(SECOND, at(24)), revoked()];
    assert_eq!(good(&after, 1), []);
    for step in steps() {
        assert_eq!(when(&after, step), Err(ApiKeyError::Revoked));
    }
}

#[test]
fn an_expired_key_opens_nothing_and_can_only_be_revoked() {
    let overlapping = [created(), rotated(SECOND, at(60))];
    assert_eq!((good(&overlapping, 47), good(&overlapping, 48)), (vec![SECOND, FIRST], vec![]));
    let [rotate, set_quota, revoke] = steps();
    assert_eq!(when_at(48, &[created()], rotate), Err(ApiKeyError::Expired));
    assert_eq!(when_at(48, &[created()], set_quota), Err(ApiKeyError::Expired));
    assert_eq!(when_at(48, &[created()], revoke), Ok(vec![revoked()]));
}

#[test]
fn what_is_not_there_is_not_found() {
    for step in steps() {
        assert_eq!(when(&[], step), Err(ApiKeyError::NotFound));
    }
    assert_eq!(ApiKeyError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!((ApiKeyError::OverlapInvalid.code(), ApiKeyError::OverlapInvalid.field()), (Code::ValidationError, Some("overlap_seconds")));
    assert_eq!((ApiKeyError::Revoked.code(), ApiKeyError::Expired.code()), (Code::Conflict, Code::Conflict));
}
