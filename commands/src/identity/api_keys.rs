//! The keys by which programs act for an organization (P-33).

use super::{check_covers, roles::check_grants};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{
    identity::{
        Grant,
        api_key::{self, ApiKey, ApiKeyCommand, Quota},
    },
    kernel::{Admission, ApiKeyId, Code, Digest, RoleId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    CreateApiKey => permit "identity.api_key.create", throttle Write;
    RotateApiKey => permit "identity.api_key.rotate", throttle Write;
    RevokeApiKey => permit "identity.api_key.revoke", throttle Write;
    SetApiKeyQuota => permit "identity.api_key.set_quota", throttle Write;
}

/// An operation that gives a key a secret. Whoever serves it makes the secret and shows it; the
/// operation, and so the log, knows its digest only.
pub trait TakesSecret {
    fn take(&mut self, secret: Digest);
}

/// Makes a key by which a program acts for the organization. Its text, `key`, stands in the first answer and never again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Permissions such as `points.hold.place`, or groups such as `points`, later permissions included.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 200)]
    pub grants: BTreeSet<Grant>,
    pub quota: Quota,
    /// When it is over; without it, once it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    #[schema(ignore)]
    secret: Option<Digest>,
}

/// Gives a key another secret. Its text, `key`, stands in the first answer and never again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiKey {
    #[schema(value_type = Uuid)]
    pub key_id: ApiKeyId,
    /// How long the present secret stays good beside the new one; without it, not at all.
    #[serde(default)]
    #[schema(maximum = 86_400)]
    pub overlap_seconds: u32,
    #[serde(skip)]
    #[schema(ignore)]
    secret: Option<Digest>,
}

/// Ends a key at once and for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeApiKey {
    #[schema(value_type = Uuid)]
    pub key_id: ApiKeyId,
}

/// Sets how often a key may be used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetApiKeyQuota {
    #[schema(value_type = Uuid)]
    pub key_id: ApiKeyId,
    pub quota: Quota,
}

fn key_stream(admission: &Admission, key: ApiKeyId) -> StreamRef {
    StreamRef::of::<ApiKey>(admission.organization, key)
}

/// A key that reaches further than one's own rights is not one's to change: whoever rotates a key
/// has it in hand (E-46).
fn check_may_change(unit: &mut Unit<'_>, key: ApiKeyId) -> Result<(), Refused> {
    match unit.state::<ApiKey>(key)?.issued().map(api_key::Issued::role) {
        Some(role) => check_covers(unit, &role),
        // That it is not there, the rules say.
        None => Ok(()),
    }
}

fn known(secret: Option<Digest>) -> Result<Digest, Refused> {
    secret.ok_or_else(|| Refused::new(Code::InternalError, "secret_not_made", "nobody made a secret for the key"))
}

impl CreateApiKey {
    fn id(admission: &Admission) -> ApiKeyId {
        ApiKeyId(new_id(admission, "api_key"))
    }
}

impl TakesSecret for CreateApiKey {
    fn take(&mut self, secret: Digest) {
        self.secret = Some(secret);
    }
}

impl TakesSecret for RotateApiKey {
    fn take(&mut self, secret: Digest) {
        self.secret = Some(secret);
    }
}

impl Operation for CreateApiKey {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![key_stream(admission, Self::id(admission))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let key_id = Self::id(unit.admission());
        check_grants(unit, RoleId(key_id.0), &self.grants)?;
        let create = api_key::CreateApiKey {
            key_id,
            name: self.name.clone(),
            grants: self.grants.clone(),
            quota: self.quota,
            secret: known(self.secret)?,
            expires_at: self.expires_at,
        };
        unit.run::<ApiKey>(key_id, &ApiKeyCommand::Create(create))?;
        Ok(Answer::new("id", key_id, "ACTIVE"))
    }
}

impl Operation for RotateApiKey {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![key_stream(admission, self.key_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_change(unit, self.key_id)?;
        let overlap = TimeDelta::seconds(self.overlap_seconds.into());
        let rotate = api_key::RotateApiKey { secret: known(self.secret)?, overlap };
        unit.run::<ApiKey>(self.key_id, &ApiKeyCommand::Rotate(rotate))?;
        Ok(Answer::new("id", self.key_id, "ACTIVE"))
    }
}

impl Operation for RevokeApiKey {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![key_stream(admission, self.key_id)]
    }

    // Whoever may revoke keys may revoke every one: a stolen key must not wait for somebody with as many rights.
    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<ApiKey>(self.key_id, &ApiKeyCommand::Revoke)?;
        Ok(Answer::new("id", self.key_id, "REVOKED"))
    }
}

impl Operation for SetApiKeyQuota {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![key_stream(admission, self.key_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_change(unit, self.key_id)?;
        unit.run::<ApiKey>(self.key_id, &ApiKeyCommand::SetQuota(self.quota))?;
        Ok(Answer::new("id", self.key_id, "ACTIVE"))
    }
}
