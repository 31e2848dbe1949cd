//! `GET legal-documents` and `GET legal-documents/{document_id}`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{compliance::ConsentType, kernel::LegalDocumentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT d.document_id, d.consent_type, d.version, d.language, d.digest, d.url, d.effective_at, d.published_at, d.published_position,
           CASE WHEN d.effective_at > $5::timestamptz THEN 'UPCOMING'
                WHEN EXISTS (SELECT FROM compliance_legal_documents later
                             WHERE later.organization_id = $1 AND later.consent_type = d.consent_type
                               AND later.effective_at > d.effective_at AND later.effective_at <= $5::timestamptz) THEN 'REPLACED'
                ELSE 'IN_FORCE' END AS status
    FROM compliance_legal_documents d
    WHERE d.organization_id = $1 AND ($2::text IS NULL OR d.consent_type = $2) AND d.published_position < $3
    ORDER BY d.published_position DESC LIMIT $4";

pub(super) const GET: &str = "
    SELECT consent_type, version, language, digest, url, content, effective_at
    FROM compliance_legal_documents WHERE organization_id = $1 AND document_id = $2";

/// A text of a version, in one language.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct LegalDocument {
    #[serde(rename = "id")]
    pub document_id: Uuid,
    pub consent_type: String,
    pub version: String,
    pub language: String,
    /// SHA-256 of the text.
    pub digest: String,
    /// Where it stands, unless it stands here.
    pub url: Option<String>,
    pub effective_at: DateTime<Utc>,
    pub published_at: DateTime<Utc>,
    /// `UPCOMING`, `IN_FORCE` or `REPLACED`.
    pub status: String,
    #[serde(skip)]
    published_position: i64,
}

/// The documents of the organization, the newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLegalDocuments {
    #[serde(default)]
    pub consent_type: Option<ConsentType>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListLegalDocuments {
    type Output = Page<LegalDocument>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<LegalDocument>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).persistent(false).bind(reader.organization().0).bind(self.consent_type.map(ConsentType::name));
        let query = query.bind(list.before()).bind(list.rows()).bind(reader.now());
        reader.touches(reader.organization().0);
        list.page(reader, query, |last: &LegalDocument| last.published_position).await
    }
}

/// What a document says.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct LegalDocumentText {
    pub consent_type: String,
    pub version: String,
    pub language: String,
    pub digest: String,
    pub url: Option<String>,
    /// The text, where it does not stand elsewhere.
    #[serde(rename = "text")]
    pub content: Option<String>,
    pub effective_at: DateTime<Utc>,
}

/// One document with its text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetLegalDocument {
    pub document_id: LegalDocumentId,
}

impl Query for GetLegalDocument {
    type Output = LegalDocumentText;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<LegalDocumentText, ReadError> {
        reader.touches(reader.organization().0);
        let query = sqlx::query_as(GET).bind(reader.organization().0).bind(self.document_id.0);
        query.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)
    }
}
