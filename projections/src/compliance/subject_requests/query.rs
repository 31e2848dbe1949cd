//! `GET subject-requests` and `GET me/subject-requests`, and one of them.

use super::PROJECTION;
use crate::{
    compliance::sealed::{self, Opened, SealedEvent},
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader},
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::subject_request::{self, SubjectRequestKind, SubjectRequestStatus},
    kernel::{Aggregate, DataClass, ExportId, Purpose, SubjectRequestId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is due first comes first; what is answered is no more urgent than it was.
pub(super) const LIST: &str = "
    SELECT *, status IN ('RECEIVED', 'IN_PROGRESS') AND due_at <= $9::timestamptz AS overdue
    FROM compliance_subject_requests
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR kind = $3)
      AND ($4::uuid IS NULL OR user_id = $4)
      AND ($5::boolean IS NULL OR $5 = (status IN ('RECEIVED', 'IN_PROGRESS') AND due_at <= $9::timestamptz))
      AND (due_at, request_id) > ($6, $7)
    ORDER BY due_at, request_id LIMIT $8";

pub(super) const GET: &str = "
    SELECT *, status IN ('RECEIVED', 'IN_PROGRESS') AND due_at <= $4::timestamptz AS overdue
    FROM compliance_subject_requests
    WHERE organization_id = $1 AND request_id = $2 AND ($3::uuid IS NULL OR user_id = $3)";

/// What somebody asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectRequest {
    pub id: SubjectRequestId,
    pub user_id: UserId,
    /// `access`, `erasure`, `rectification`, `restriction`, `objection` or `portability`.
    pub kind: String,
    /// `RECEIVED`, `IN_PROGRESS`, `FULFILLED`, `REFUSED` or `WITHDRAWN`.
    pub status: String,
    /// What was written with it; missing once erased, as all that people wrote.
    pub details: Option<String>,
    pub received_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// Whether its time is over and nobody has answered it.
    pub overdue: bool,
    /// Whether its time was extended, and why.
    pub extended: bool,
    pub extension_reason: Option<String>,
    pub taken_by: Option<UserId>,
    /// Who fulfilled or refused it.
    pub decided_by: Option<UserId>,
    /// When it was fulfilled, refused or withdrawn.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    pub ground: Option<String>,
    pub note: Option<String>,
    /// The deletion that answers it.
    pub deletion_request_id: Option<Uuid>,
    /// The export that answers it, which is among `GET /me/exports` of whose request it is.
    pub export_id: Option<ExportId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    request_id: Uuid,
    user_id: Uuid,
    kind: String,
    status: String,
    received_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    overdue: bool,
    extended: bool,
    taken_by: Option<Uuid>,
    decided_by: Option<Uuid>,
    decided_at: Option<DateTime<Utc>>,
    ground: Option<String>,
    deletion_request_id: Option<Uuid>,
    export_id: Option<Uuid>,
    received_position: i64,
    received_event_id: Uuid,
    extended_position: Option<i64>,
    extended_event_id: Option<Uuid>,
    decided_position: Option<i64>,
    decided_event_id: Option<Uuid>,
}

impl Row {
    /// The events beside which somebody may have written something.
    fn sealed(&self) -> impl Iterator<Item = SealedEvent> {
        let stream = (subject_request::SubjectRequest::TYPE, self.request_id);
        let (subject, purpose) = (self.user_id, Purpose::Profile);
        let at = move |place: (Option<i64>, Option<Uuid>)| {
            Some(SealedEvent { position: place.0?, event_id: place.1?, stream, subject, purpose })
        };
        let received = (Some(self.received_position), Some(self.received_event_id));
        [received, (self.extended_position, self.extended_event_id), (self.decided_position, self.decided_event_id)]
            .into_iter()
            .filter_map(at)
    }

    fn request(self, opened: &mut Opened) -> SubjectRequest {
        let mut text = |position: Option<i64>, field: &str| opened.remove(&(position?, field.to_owned()));
        SubjectRequest {
            details: text(Some(self.received_position), "details"),
            extension_reason: text(self.extended_position, "reason"),
            note: text(self.decided_position, "note"),
            id: SubjectRequestId(self.request_id),
            user_id: UserId(self.user_id),
            kind: self.kind,
            status: self.status,
            received_at: self.received_at,
            due_at: self.due_at,
            overdue: self.overdue,
            extended: self.extended,
            taken_by: self.taken_by.map(UserId),
            decided_by: self.decided_by.map(UserId),
            decided_at: self.decided_at,
            ground: self.ground,
            deletion_request_id: self.deletion_request_id,
            export_id: self.export_id.map(ExportId),
        }
    }
}

/// What people asked, by due date.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSubjectRequests {
    /// Those of this person only, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde(default)]
    pub status: Option<SubjectRequestStatus>,
    #[serde(default)]
    pub kind: Option<SubjectRequestKind>,
    /// Those alone whose time is over, or is not.
    #[serde(default)]
    pub overdue: Option<bool>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListSubjectRequests {
    type Output = Page<SubjectRequest>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<SubjectRequest>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let (due_at, request) = list.behind().unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
        let query = sqlx::query_as(LIST)
            .bind(reader.organization().0)
            .bind(self.status.map(SubjectRequestStatus::name))
            .bind(self.kind.map(SubjectRequestKind::name))
            .bind(self.user_id.map(|user| user.0))
            .bind(self.overdue)
            .bind(due_at)
            .bind(request)
            .bind(list.rows())
            .bind(reader.now());
        let page = list.page(reader, query, |last: &Row| (last.due_at, last.request_id)).await?;
        page.touch(reader, |row| row.request_id);
        let events: Vec<SealedEvent> = page.items.iter().flat_map(Row::sealed).collect();
        let mut opened = sealed::open(reader, &events).await?;
        Ok(page.map(|row| row.request(&mut opened)))
    }
}

/// What somebody asked, and where it stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSubjectRequest {
    pub request_id: SubjectRequestId,
    /// Only where it is this person's, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
}

impl Query for GetSubjectRequest {
    type Output = SubjectRequest;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<SubjectRequest, ReadError> {
        reader.touches(self.request_id.0);
        let query = sqlx::query_as(GET).persistent(false).bind(reader.organization().0).bind(self.request_id.0);
        let query = query.bind(self.user_id.map(|user| user.0)).bind(reader.now());
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        let row = row.ok_or(ReadError::NotFound)?;
        let events: Vec<SealedEvent> = row.sealed().collect();
        let mut opened = sealed::open(reader, &events).await?;
        Ok(row.request(&mut opened))
    }
}
