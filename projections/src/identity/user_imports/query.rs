//! `GET users/imports` and `GET users/imports/{import_id}`.

use super::{
    PROJECTION,
    people::{self, Read, Said},
};
use crate::engine::{Cursor, Limit, Listing, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        RoleRef,
        user_import::{ImportStatus, RowError, RowStatus},
    },
    kernel::{DataClass, ImportId, InvitationId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One import with its rows, counted by what became of them.
macro_rules! import_with_counts {
    ($filter:literal) => {
        concat!(
            "
    SELECT i.import_id, i.status, i.mode, i.run, i.uploaded_by, i.confirmed_by, i.created_at, i.created_position, i.changed_at, c.*
    FROM identity_user_imports i
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows,
               count(*) FILTER (WHERE r.status = 'READY') AS to_invite,
               count(*) FILTER (WHERE r.status = 'EXISTING') AS existing,
               count(*) FILTER (WHERE r.status = 'REJECTED') AS rejected,
               count(*) FILTER (WHERE r.status = 'INVITED') AS invited,
               count(*) FILTER (WHERE r.status = 'FAILED') AS failed,
               count(*) FILTER (WHERE r.status = 'REVOKED') AS revoked,
               count(*) FILTER (WHERE r.status = 'KEPT') AS kept
        FROM identity_user_import_rows r WHERE r.organization_id = i.organization_id AND r.import_id = i.import_id) c
    WHERE i.organization_id = $1 AND ",
            $filter
        )
    };
}

pub(super) const LIST: &str =
    import_with_counts!("($2::text IS NULL OR i.status = $2) AND i.created_position > $3 ORDER BY i.created_position LIMIT $4");

pub(super) const GET: &str = import_with_counts!("i.import_id = $2");

pub(super) const ROWS: &str = "
    SELECT number, status, user_id, role, invitation_id, read_position, read_event_id, errors
    FROM identity_user_import_rows
    WHERE organization_id = $1 AND import_id = $2 AND ($3::text IS NULL OR status = $3) AND number > $4
    ORDER BY number LIMIT $5";

/// An import, and how many of its rows stand where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Import {
    pub id: ImportId,
    /// `PREVIEWED`, `CONFIRMED`, `RUNNING`, `DONE`, `PARTIAL`, `ROLLED_BACK` or `CANCELLED`.
    pub status: String,
    /// `invite`: each person is invited by e-mail.
    pub mode: String,
    /// How often it was run.
    pub run: i32,
    pub rows: i64,
    /// Rows that are to be run: people who would be invited, or are about to be.
    pub to_invite: i64,
    /// Rows left out because a user of the organization has the address already.
    pub existing: i64,
    /// Rows left out because something is wrong with them.
    pub rejected: i64,
    pub invited: i64,
    pub failed: i64,
    /// Rows whose invitation was revoked when the import was rolled back.
    pub revoked: i64,
    /// Rows whose invitation stayed then, because somebody had acted on it.
    pub kept: i64,
    pub uploaded_by: UserId,
    pub confirmed_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Found {
    import_id: Uuid,
    status: String,
    mode: String,
    run: i32,
    uploaded_by: Uuid,
    confirmed_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    created_position: i64,
    changed_at: DateTime<Utc>,
    rows: i64,
    to_invite: i64,
    existing: i64,
    rejected: i64,
    invited: i64,
    failed: i64,
    revoked: i64,
    kept: i64,
}

impl From<Found> for Import {
    fn from(found: Found) -> Self {
        Self {
            id: ImportId(found.import_id),
            status: found.status,
            mode: found.mode,
            run: found.run,
            rows: found.rows,
            to_invite: found.to_invite,
            existing: found.existing,
            rejected: found.rejected,
            invited: found.invited,
            failed: found.failed,
            revoked: found.revoked,
            kept: found.kept,
            uploaded_by: UserId(found.uploaded_by),
            confirmed_by: found.confirmed_by.map(UserId),
            created_at: found.created_at,
            changed_at: found.changed_at,
        }
    }
}

/// The imports of the organization, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListImports {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<ImportStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListImports {
    type Output = Page<Import>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Import>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(self.status.map(ImportStatus::name));
        let query = query.bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &Found| last.created_position).await?;
        page.touch(reader, |row| row.import_id);
        Ok(page.map(Import::from))
    }
}

/// What is wrong with a cell of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRowError {
    /// `email`, `display_name`, `role`, or `row` for the row as a whole.
    pub field: &'static str,
    /// A stable reason, such as `identity.email_invalid`.
    pub reason: &'static str,
    /// The same as a sentence, with row and field, in the language of whoever asks. What answers puts it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl From<RowError> for ImportRowError {
    fn from(error: RowError) -> Self {
        Self { field: error.column.name(), reason: error.fault.reason(), message: None }
    }
}

/// A row of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRow {
    /// Counts from 1, the header and blank lines left out.
    pub row: i32,
    /// `READY`, `EXISTING`, `REJECTED`, `INVITED`, `FAILED`, `REVOKED` or `KEPT`.
    pub status: String,
    /// Missing in rows that were rejected, and once the person was erased.
    pub email: Option<String>,
    pub display_name: Option<String>,
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    /// Who has the address already, or the user whom the row makes.
    pub user_id: Option<UserId>,
    /// Of a row that was run.
    pub invitation_id: Option<InvitationId>,
    pub errors: Vec<ImportRowError>,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    number: i32,
    status: String,
    user_id: Option<Uuid>,
    role: Option<String>,
    invitation_id: Option<Uuid>,
    read_position: Option<i64>,
    read_event_id: Option<Uuid>,
    errors: sqlx::types::Json<Vec<RowError>>,
}

impl FoundRow {
    /// Where what it says stands, if it says anything.
    fn read(&self) -> Option<Read> {
        Some(Read { position: self.read_position?, event: self.read_event_id?, user: self.user_id? })
    }

    fn row(self, said: Said) -> Result<ImportRow, ReadError> {
        let unknown = |role: &String| ReadError::Unavailable(anyhow::anyhow!("no role is named `{role}`"));
        let role = self.role.as_ref().map(|role| role.parse().map_err(|_| unknown(role))).transpose()?;
        Ok(ImportRow {
            row: self.number,
            status: self.status,
            email: said.email,
            display_name: said.display_name,
            role,
            user_id: self.user_id.map(UserId),
            invitation_id: self.invitation_id.map(InvitationId),
            errors: self.errors.0.into_iter().map(ImportRowError::from).collect(),
        })
    }
}

/// An import with its rows, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportWithRows {
    #[serde(flatten)]
    pub import: Import,
    pub items: Vec<ImportRow>,
    /// Fetches the following rows; null on the last page.
    pub next_cursor: Option<String>,
}

/// One import: what would happen, or did, row by row.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetImport {
    pub import_id: ImportId,
    /// Rows that stand like this; all where it is missing.
    #[serde(default)]
    pub row_status: Option<RowStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for GetImport {
    type Output = ImportWithRows;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<ImportWithRows, ReadError> {
        let list: Listing<i32> = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        reader.touches(self.import_id.0);
        let query = sqlx::query_as(GET).bind(organization).bind(self.import_id.0);
        let found: Option<Found> = query.fetch_optional(reader.connection()).await?;
        let import = Import::from(found.ok_or(ReadError::NotFound)?);
        let query = sqlx::query_as(ROWS).bind(organization).bind(self.import_id.0).bind(self.row_status.map(RowStatus::name));
        let query = query.bind(list.behind().unwrap_or(0)).bind(list.rows());
        let page = list.page(reader, query, |last: &FoundRow| last.number).await?;
        let read: Vec<Read> = page.items.iter().filter_map(FoundRow::read).collect();
        let mut said = people::open(reader, self.import_id, read.iter()).await?;
        let rows = page.items.into_iter().map(|row| {
            let said = row.read_position.and_then(|position| said.remove(&position)).unwrap_or_default();
            row.row(said)
        });
        Ok(ImportWithRows { import, items: rows.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    }
}
