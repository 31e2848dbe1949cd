//! What an event raised, and whom to tell of it.

use super::{
    PROJECTION, anomaly_id,
    officers::{self, Change},
    rules::Sighting,
};
use crate::{
    engine::{ReadError, Readers, TenantReader},
    identity::directory,
};
use palmares_domain::{
    compliance::access_anomaly::AnomalyRule,
    kernel::{AnomalyId, RecordedEvent, Tenant, UserId},
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) const RAISED: &str = "
    SELECT sightings FROM compliance_anomalies WHERE organization_id = $1 AND anomaly_id = $2 AND status = 'OPEN'";

/// Its compliance officers, or, where it has none but whom it is about, its administrators. Whoever just became
/// an officer, or is none any more, is not one of those who keep watch over it.
pub(super) const TO_TELL: &str = "
    WITH watching AS (
        SELECT user_id, created_position, 'compliance_officer' = ANY(roles) AS officer FROM identity_users
        WHERE organization_id = $1 AND user_id <> ALL($2) AND status = 'ACTIVE'
          AND roles && ARRAY['compliance_officer', 'organization_admin']
    )
    SELECT user_id FROM watching WHERE officer OR NOT EXISTS (SELECT FROM watching WHERE officer)
    ORDER BY created_position LIMIT $3";

/// More people than these are not written to: somebody else of them will know.
const TOLD_MAX: i64 = 50;

/// An anomaly that an event raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    pub anomaly_id: AnomalyId,
    pub rule: AnomalyRule,
    pub about: UserId,
    /// How much was seen when it was looked up.
    pub sightings: i64,
    /// Whom to tell.
    pub to_tell: BTreeSet<UserId>,
}

impl Raised {
    /// What has to have reached the event before it can be asked.
    pub const PROJECTIONS: &'static [&'static str] = &[PROJECTION, directory::PROJECTION];
    /// The events that may raise something.
    pub const BY: &'static [&'static str] = &[
        "compliance.access_refused",
        "compliance.sensitive_data_read",
        "compliance.data_exported",
        officers::TYPES[0],
        officers::TYPES[1],
        officers::TYPES[2],
        officers::TYPES[3],
        officers::TYPES[4],
        officers::TYPES[5],
        officers::TYPES[6],
    ];
    /// Whether an event counts at all.
    pub fn may_be_by(event: &RecordedEvent) -> bool {
        Sighting::of(event).is_some()
    }
}

/// What an event raised, unless somebody has looked at it already.
pub async fn raised_by(readers: &Readers, tenant: Tenant, event: &RecordedEvent) -> Result<Option<Raised>, ReadError> {
    let Some(Sighting { rule, .. }) = Sighting::of(event) else { return Ok(None) };
    let (anomaly_id, about) = (anomaly_id(event, rule), UserId(event.actor_id));
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_scalar(RAISED).bind(tenant.organization().0).bind(anomaly_id.0);
    let Some(sightings) = query.fetch_optional(reader.connection()).await? else { return Ok(None) };
    let about_whom = Change::of(event).map(|change| change.user);
    let to_tell = watching(&mut reader, [Some(about), about_whom].into_iter().flatten()).await?.into_iter().collect();
    Ok(Some(Raised { anomaly_id, rule, about, sightings, to_tell }))
}

/// Who looks after compliance, but for whom it is about: compliance officers, or administrators where there are none.
pub async fn watching(reader: &mut TenantReader<'_>, about: impl IntoIterator<Item = UserId>) -> Result<Vec<UserId>, ReadError> {
    let about: Vec<Uuid> = about.into_iter().map(|user| user.0).collect();
    let query = sqlx::query_scalar(TO_TELL).persistent(false).bind(reader.organization().0).bind(about).bind(TOLD_MAX);
    let to_tell: Vec<Uuid> = query.fetch_all(reader.connection()).await?;
    Ok(to_tell.into_iter().map(UserId).collect())
}
