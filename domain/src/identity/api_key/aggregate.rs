//! The rules of a key.

use super::{
    ApiKeyCommand, ApiKeyCreated, ApiKeyError, ApiKeyEvent, ApiKeyQuotaSet, ApiKeyRevoked, ApiKeyRotated, CreateApiKey, Quota, RotateApiKey,
};
use crate::{
    identity::{Grant, HeldRole, role_catalogue::GRANTS_MAX},
    kernel::{Aggregate, ApiKeyId, Digest, Facts, RoleId, text::is_label},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long a former secret may stay good: a day is enough to give every machine the new one.
pub const OVERLAP_MAX: TimeDelta = TimeDelta::hours(24);
const NAME_MAX_CHARS: usize = 100;

/// Where a key stands. That it is expired follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyStatus {
    Active,
    Revoked,
}

/// A secret that was replaced, and until when it is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Former {
    secret: Digest,
    until: DateTime<Utc>,
}

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    key_id: ApiKeyId,
    name: String,
    grants: BTreeSet<Grant>,
    quota: Quota,
    expires_at: Option<DateTime<Utc>>,
    status: KeyStatus,
    secret: Digest,
    former: Option<Former>,
}

/// A key, as far as it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(Option<Issued>);

impl Issued {
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// What the key may, as a role that it alone has.
    pub fn role(&self) -> HeldRole {
        HeldRole::custom(RoleId(self.key_id.0), self.grants.clone())
    }

    /// The digests of the secrets that open something at this moment: none of a key that is over.
    pub fn good_secrets(&self, now: DateTime<Utc>) -> impl Iterator<Item = Digest> {
        let former = self.former.filter(|former| now < former.until).map(|former| former.secret);
        let usable = self.is_usable(now);
        std::iter::once(self.secret).chain(former).filter(move |_| usable)
    }

    /// Whether the key opens something at this moment.
    pub fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.check_usable(now).is_ok()
    }

    fn check_usable(&self, now: DateTime<Utc>) -> Result<(), ApiKeyError> {
        match self.status {
            KeyStatus::Revoked => Err(ApiKeyError::Revoked),
            KeyStatus::Active if self.expires_at.is_some_and(|end| end <= now) => Err(ApiKeyError::Expired),
            KeyStatus::Active => Ok(()),
        }
    }
}

impl ApiKey {
    pub fn issued(&self) -> Option<&Issued> {
        self.0.as_ref()
    }

    fn known(&self) -> Result<&Issued, ApiKeyError> {
        self.issued().ok_or(ApiKeyError::NotFound)
    }

    fn usable(&self, now: DateTime<Utc>) -> Result<&Issued, ApiKeyError> {
        let key = self.known()?;
        key.check_usable(now).map(|()| key)
    }

    fn create(&self, command: &CreateApiKey, now: DateTime<Utc>) -> Result<ApiKeyCreated, ApiKeyError> {
        let CreateApiKey { key_id, name, grants, quota, secret, expires_at } = command;
        if self.0.is_some() {
            return Err(ApiKeyError::AlreadyExists);
        }
        if !is_label(name, NAME_MAX_CHARS) {
            return Err(ApiKeyError::NameInvalid);
        }
        if !(1..=GRANTS_MAX).contains(&grants.len()) {
            return Err(ApiKeyError::GrantCountInvalid);
        }
        check_quota(*quota)?;
        if expires_at.is_some_and(|end| end <= now) {
            return Err(ApiKeyError::ExpiryInvalid);
        }
        let grants = grants.iter().cloned().collect();
        Ok(ApiKeyCreated { key_id: *key_id, name: name.clone(), grants, quota: *quota, secret: *secret, expires_at: *expires_at })
    }

    fn rotate(&self, command: &RotateApiKey, now: DateTime<Utc>) -> Result<ApiKeyRotated, ApiKeyError> {
        let key = self.usable(now)?;
        if !(TimeDelta::zero()..=OVERLAP_MAX).contains(&command.overlap) {
            return Err(ApiKeyError::OverlapInvalid);
        }
        Ok(ApiKeyRotated { key_id: key.key_id, secret: command.secret, former_until: now + command.overlap })
    }

    fn set_quota(&self, quota: Quota, now: DateTime<Utc>) -> Result<Option<ApiKeyQuotaSet>, ApiKeyError> {
        let key = self.usable(now)?;
        check_quota(quota)?;
        Ok((key.quota != quota).then_some(ApiKeyQuotaSet { key_id: key.key_id, quota }))
    }

    fn revoke(&self) -> Result<ApiKeyRevoked, ApiKeyError> {
        let key = self.known()?;
        match key.status {
            KeyStatus::Revoked => Err(ApiKeyError::Revoked),
            // An expired one too: whoever revokes it wants to be sure.
            KeyStatus::Active => Ok(ApiKeyRevoked { key_id: key.key_id }),
        }
    }
}

impl Aggregate for ApiKey {
    const TYPE: &'static str = "api_key";
    const SHAPE: u16 = 1;

    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Error = ApiKeyError;

    fn decide(&self, command: &ApiKeyCommand, facts: &Facts) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        Ok(match command {
            ApiKeyCommand::Create(command) => vec![self.create(command, facts.now)?.into()],
            ApiKeyCommand::Rotate(command) => vec![self.rotate(command, facts.now)?.into()],
            ApiKeyCommand::SetQuota(quota) => self.set_quota(*quota, facts.now)?.map(ApiKeyEvent::from).into_iter().collect(),
            ApiKeyCommand::Revoke => vec![self.revoke()?.into()],
        })
    }

    fn evolve(&mut self, event: &ApiKeyEvent) {
        match (event, &mut self.0) {
            (ApiKeyEvent::ApiKeyCreated(created), key) => {
                *key = Some(Issued {
                    key_id: created.key_id,
                    name: created.name.clone(),
                    grants: created.grants.iter().cloned().collect(),
                    quota: created.quota,
                    expires_at: created.expires_at,
                    status: KeyStatus::Active,
                    secret: created.secret,
                    former: None,
                });
            }
            (ApiKeyEvent::ApiKeyRotated(rotated), Some(key)) => {
                key.former = Some(Former { secret: key.secret, until: rotated.former_until });
                key.secret = rotated.secret;
            }
            (ApiKeyEvent::ApiKeyQuotaSet(set), Some(key)) => key.quota = set.quota,
            (ApiKeyEvent::ApiKeyRevoked(_), Some(key)) => key.status = KeyStatus::Revoked,
            (_, None) => {}
        }
    }
}

fn check_quota(quota: Quota) -> Result<(), ApiKeyError> {
    if quota.is_sound() { Ok(()) } else { Err(ApiKeyError::QuotaInvalid) }
}
