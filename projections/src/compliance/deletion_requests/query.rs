//! `GET deletion-requests` and `GET deletion-requests/{request_id}`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::deletion_request::{self, Check, CheckOutcome, DeletionStatus},
    kernel::{Aggregate, DataClass, DeletionRequestId, EventId, Place, Purpose, UserId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT request_id, user_id, kind, requested_by, concerns, ground, incident, status, approved_by, checks, refusal_ground, due_at,
           step, retained, backups_until, certificate IS NOT NULL AS certified, created_at, created_position, created_event_id, changed_at, earlier
    FROM compliance_deletion_requests
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR user_id = $3) AND created_position < $4
    ORDER BY created_position DESC LIMIT $5";

pub(super) const GET: &str = "
    SELECT request_id, user_id, kind, requested_by, concerns, ground, incident, status, approved_by, checks, refusal_ground, due_at,
           step, retained, backups_until, certificate IS NOT NULL AS certified, created_at, created_position, created_event_id, changed_at, earlier
    FROM compliance_deletion_requests
    WHERE organization_id = $1 AND request_id = $2 AND ($3::uuid IS NULL OR user_id = $3)";

pub(super) const SEALED: &str = "
    SELECT position, ciphertext FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = 'reason'";

pub(super) const OPEN: &str = "
    SELECT request_id FROM compliance_deletion_requests
    WHERE organization_id = $1 AND status NOT IN ('REFUSED', 'CANCELLED', 'RESTORED', 'PURGED')";

pub(super) const CERTIFICATE: &str = "
    SELECT l.position, convert_from(l.payload, 'UTF8')
    FROM compliance_deletion_requests d
    JOIN log l ON l.organization_id = d.organization_id AND l.stream_type = $4 AND l.stream_id = d.request_id AND l.event_type = ANY($5)
    WHERE d.organization_id = $1 AND d.request_id = $2 AND ($3::uuid IS NULL OR d.user_id = $3) AND d.certificate IS NOT NULL
    ORDER BY l.version DESC";

/// The events that bring a certificate.
const CERTIFYING: [&str; 3] = ["compliance.subject_anonymised", "compliance.erasure_certified", "compliance.deletion_purged"];

/// A deletion, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletionRequest {
    pub id: DeletionRequestId,
    /// Who is to be deleted; missing where it is the organization.
    pub user_id: Option<UserId>,
    /// `OWN_ACCOUNT`, `BY_ADMIN`, `EXPERT`, `ORGANIZATION` or `FORCED`.
    pub kind: String,
    pub requested_by: UserId,
    /// Of a forced deletion: `fraud`, `abuse`, `legal` or `security`.
    pub ground: Option<String>,
    /// Of a forced deletion: how the incident is known elsewhere.
    pub incident: Option<String>,
    /// Why; missing once the person was erased.
    pub reason: Option<String>,
    /// A state of the life cycle, such as `IN_REVIEW`, `GRACE` or `PURGED`.
    pub status: String,
    pub approved_by: Vec<UserId>,
    /// What had to be clear, as the last approval found it.
    pub checks: Vec<PastCheck>,
    /// Where what has to be clear is found as it is now, with the legal holds that stop it.
    pub present_checks: String,
    pub refusal_ground: Option<String>,
    /// When the next step is taken: the end of grace, of recovery, of a retention.
    pub due_at: Option<DateTime<Utc>>,
    /// The last step of an erasure that is done.
    pub step: Option<String>,
    /// What is kept, and until when.
    pub retained: Vec<Kept>,
    /// When the last backup is gone that holds a key of the subject.
    pub backups_until: Option<DateTime<Utc>>,
    /// Whether there is a certificate.
    pub certified: bool,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    /// What was asked before and came to nothing, newest first: a subject has one request.
    pub earlier: Vec<EarlierRequest>,
}

/// A deletion of the same subject that was refused, cancelled or undone, or gave way to another one before it was
/// proven. Why it was asked for stands in the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EarlierRequest {
    pub kind: String,
    pub requested_by: UserId,
    pub ground: Option<String>,
    pub incident: Option<String>,
    /// `REFUSED`, `CANCELLED` or `RESTORED`; `SUBMITTED` where it was not proven, and somebody else asked.
    pub status: String,
    pub approved_by: Vec<UserId>,
    pub refusal_ground: Option<String>,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

/// A check with what it found, and when somebody looked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PastCheck {
    pub check: Check,
    pub outcome: CheckOutcome,
    /// Missing as long as the read model is that of an older build.
    #[serde(default)]
    pub looked_at: Option<DateTime<Utc>>,
}

/// Personal data that is kept for a while.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    #[schema(value_type = String)]
    pub purpose: Purpose,
    pub until: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    request_id: Uuid,
    user_id: Option<Uuid>,
    kind: String,
    requested_by: Uuid,
    concerns: Uuid,
    ground: Option<String>,
    incident: Option<String>,
    status: String,
    approved_by: Vec<Uuid>,
    checks: Value,
    refusal_ground: Option<String>,
    due_at: Option<DateTime<Utc>>,
    step: Option<String>,
    retained: Value,
    backups_until: Option<DateTime<Utc>>,
    certified: bool,
    created_at: DateTime<Utc>,
    created_position: i64,
    created_event_id: Uuid,
    changed_at: DateTime<Utc>,
    earlier: Value,
}

/// The address at which the checks are looked at anew, by whoever looks at the request.
fn present_checks(request: Uuid, user: Option<Uuid>) -> String {
    let whose = user.map(|user| format!("?user_id={user}")).unwrap_or_default();
    format!("/api/v1/deletion-requests/{request}/checks{whose}")
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, ReadError> {
    serde_json::from_value(value).map_err(|error| ReadError::Unavailable(error.into()))
}

impl Row {
    fn request(self, reason: Option<String>) -> Result<DeletionRequest, ReadError> {
        Ok(DeletionRequest {
            id: DeletionRequestId(self.request_id),
            user_id: self.user_id.map(UserId),
            kind: self.kind,
            requested_by: UserId(self.requested_by),
            ground: self.ground,
            incident: self.incident,
            reason,
            status: self.status,
            approved_by: self.approved_by.into_iter().map(UserId).collect(),
            checks: parsed(self.checks)?,
            present_checks: present_checks(self.request_id, self.user_id),
            refusal_ground: self.refusal_ground,
            due_at: self.due_at,
            step: self.step,
            retained: parsed(self.retained)?,
            backups_until: self.backups_until,
            certified: self.certified,
            created_at: self.created_at,
            changed_at: self.changed_at,
            earlier: parsed(self.earlier)?,
        })
    }
}

/// Deletions of the organization's people, and its own, newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDeletionRequests {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<DeletionStatus>,
    /// That of this user only, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListDeletionRequests {
    type Output = Page<DeletionRequest>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<DeletionRequest>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST)
            .bind(reader.organization().0)
            .bind(self.status.map(DeletionStatus::name))
            .bind(self.user_id.map(|user| user.0))
            .bind(list.before())
            .bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.request_id);
        let items = with_reasons(reader, page.items).await?;
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// One deletion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDeletionRequest {
    pub request_id: DeletionRequestId,
    /// Only where it is about this user, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
}

impl Query for GetDeletionRequest {
    type Output = DeletionRequest;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<DeletionRequest, ReadError> {
        reader.touches(self.request_id.0);
        let query = sqlx::query_as(GET).persistent(false).bind(reader.organization().0).bind(self.request_id.0);
        let row: Option<Row> = query.bind(self.user_id.map(|user| user.0)).fetch_optional(reader.connection()).await?;
        with_reasons(reader, row.into_iter().collect()).await?.pop().ok_or(ReadError::NotFound)
    }
}

/// The certificates of a deletion: that of the last round of erasure, and beside it those of the rounds before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetCertificate {
    pub request_id: DeletionRequestId,
    /// Only where it is about this user, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
}

/// What was destroyed and what stays, as it was recorded: the log proves it for as long as there is one.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedCertificate {
    /// A JWT: it verifies under the platform's public keys until the one that signed it is retired.
    pub certificate: String,
    /// Where the log has it; `/audit-logs/{position}/proof` proves it under the keys of the log.
    pub position: i64,
    /// The bytes that were recorded, for `palmares verify PROOF --payload FILE`.
    pub payload: String,
    /// Those of the rounds before, newest first. The last of them is of the first round, in which most is destroyed.
    pub earlier: Vec<EarlierCertificate>,
}

/// What an earlier round destroyed, proved in the same way.
#[derive(Debug, Serialize, ToSchema)]
pub struct EarlierCertificate {
    pub certificate: String,
    pub position: i64,
    pub payload: String,
}

/// The part of a recorded round that is its certificate.
#[derive(Deserialize)]
struct Certifying {
    certificate: String,
}

impl EarlierCertificate {
    fn recorded((position, payload): (i64, String)) -> Result<Self, ReadError> {
        let Certifying { certificate } = serde_json::from_str(&payload).map_err(|error| ReadError::Unavailable(error.into()))?;
        Ok(Self { certificate, position, payload })
    }
}

impl Query for GetCertificate {
    type Output = SignedCertificate;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<SignedCertificate, ReadError> {
        reader.touches(self.request_id.0);
        let query = sqlx::query_as(CERTIFICATE).persistent(false).bind(reader.organization().0).bind(self.request_id.0);
        let query = query.bind(self.user_id.map(|user| user.0)).bind(deletion_request::DeletionRequest::TYPE).bind(CERTIFYING);
        let rounds: Vec<(i64, String)> = query.fetch_all(reader.connection()).await?;
        let mut rounds = rounds.into_iter().map(EarlierCertificate::recorded).collect::<Result<Vec<_>, _>>()?.into_iter();
        let EarlierCertificate { certificate, position, payload } = rounds.next().ok_or(ReadError::NotFound)?;
        Ok(SignedCertificate { certificate, position, payload, earlier: rounds.collect() })
    }
}

/// The deletions that are under way, for whoever has to look at each of them.
pub async fn open_requests(reader: &mut TenantReader<'_>) -> Result<Vec<DeletionRequestId>, ReadError> {
    let organization = reader.organization().0;
    let open: Vec<Uuid> = sqlx::query_scalar(OPEN).persistent(false).bind(organization).fetch_all(reader.connection()).await?;
    Ok(open.into_iter().map(DeletionRequestId).collect())
}

/// The requests with the reasons that can still be read.
async fn with_reasons(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<DeletionRequest>, ReadError> {
    let organization = reader.organization();
    let by_position: BTreeMap<i64, &Row> = rows.iter().map(|row| (row.created_position, row)).collect();
    let positions: Vec<i64> = by_position.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0);
    let sealed: Vec<(i64, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let found: Vec<_> = sealed.iter().filter_map(|(position, ciphertext)| Some((*by_position.get(position)?, ciphertext))).collect();
    let places: Vec<_> = found
        .iter()
        .map(|(row, ciphertext)| {
            let (stream, event) = ((deletion_request::DeletionRequest::TYPE, row.request_id), EventId(row.created_event_id));
            (Place::in_event(organization, stream, event, "reason", row.concerns, Purpose::Profile), ciphertext.as_slice())
        })
        .collect();
    let opened = reader.keys().open_many(&places).await?;
    let mut reasons: BTreeMap<i64, String> = BTreeMap::new();
    for ((row, _), clear) in found.iter().zip(opened) {
        if let Some(clear) = clear {
            // The cause is left out: it would quote the reason.
            let reason = serde_json::from_slice(&clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("a reason is not a text")))?;
            reasons.insert(row.created_position, reason);
        }
    }
    rows.into_iter()
        .map(|row| {
            let reason = reasons.remove(&row.created_position);
            row.request(reason)
        })
        .collect()
}
