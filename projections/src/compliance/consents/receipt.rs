//! `GET consents/{consent_id}/receipt`: a consent as ISO/IEC TS 27560 has it.
//!
//! What the standard asks for and nobody here knows, such as an address of the controller, is left out.

use super::PROJECTION;
use crate::{
    compliance::{
        audit_trail::{self, Origin},
        legal_documents,
    },
    engine::{Query, ReadError, TenantReader},
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::ConsentType,
    kernel::{ConsentId, DataClass, OrganizationId, UserId, derive_uuid},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const HISTORY: &str = "
    SELECT position, consent_type, happened, happened_at, policy_version, language, document_digest, client_context_id
    FROM compliance_consents WHERE organization_id = $1 AND user_id = $2 AND consent_id = $3 ORDER BY position";

pub(super) const CONTROLLER: &str = "
    SELECT coalesce(settings ->> 'display_name', name) FROM organizations_directory WHERE organization_id = $1 AND id = $1";

pub(super) const NOTICE: &str = "
    SELECT document_id, url FROM compliance_legal_documents
    WHERE organization_id = $1 AND consent_type = $2 AND version = $3 AND language = $4";

const SCHEMA: &str = "ISO/IEC TS 27560:2023";

/// A consent, for whoever gave it to keep.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentReceipt {
    pub schema_version: &'static str,
    /// The same for the same state of the consent.
    pub receipt_id: Uuid,
    pub record_id: Uuid,
    pub pii_principal_id: UserId,
    pub pii_processing: Processing,
    pub party_identification: Vec<Party>,
    /// Everything that happened to the consent, oldest first.
    pub events: Vec<ConsentEvent>,
}

/// What was agreed to last.
#[derive(Debug, Serialize, ToSchema)]
pub struct Processing {
    /// Where the notice stands.
    pub privacy_notice: Option<String>,
    pub privacy_notice_version: String,
    /// SHA-256 of the notice.
    pub privacy_notice_digest: String,
    pub language: String,
    pub purposes: Vec<ProcessingPurpose>,
}

/// What is done on the strength of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessingPurpose {
    pub purpose: &'static str,
    pub purpose_type: String,
    pub lawful_basis: &'static str,
    /// The kinds of personal data.
    pub pii_information: Vec<PiiType>,
    pub pii_controllers: Vec<OrganizationId>,
}

/// A kind of personal data.
#[derive(Debug, Serialize, ToSchema)]
pub struct PiiType {
    pub pii_type: &'static str,
}

/// Who answers for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Party {
    pub party_id: OrganizationId,
    pub party_name: Option<String>,
    pub party_role: &'static str,
}

/// Something that happened to the consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentEvent {
    pub event_time: DateTime<Utc>,
    /// `GRANTED`, `RENEWED` or `REVOKED`.
    pub event_type: String,
    /// What it made of the consent: `given` or `withdrawn`.
    pub event_state: &'static str,
    /// Who did it.
    pub entity_id: UserId,
    pub policy_version: Option<String>,
    /// From where; missing once erased.
    pub origin: Option<Origin>,
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    consent_type: String,
    happened: String,
    happened_at: DateTime<Utc>,
    policy_version: Option<String>,
    language: Option<String>,
    document_digest: Option<String>,
    client_context_id: Option<Uuid>,
}

/// The receipt of a consent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetConsentReceipt {
    pub user_id: UserId,
    pub consent_id: ConsentId,
}

impl Query for GetConsentReceipt {
    type Output = ConsentReceipt;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, legal_documents::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<ConsentReceipt, ReadError> {
        let Self { user_id, consent_id } = self;
        let organization = reader.organization();
        reader.touches(user_id.0);
        let query = sqlx::query_as(HISTORY).bind(organization.0).bind(user_id.0).bind(consent_id.0);
        let rows: Vec<Row> = query.fetch_all(reader.connection()).await?;
        let last = rows.last().map(|row| row.position).ok_or(ReadError::NotFound)?;
        let pii_processing = processing(reader, &rows).await?;
        let contexts: Vec<Uuid> = rows.iter().filter_map(|row| row.client_context_id).collect();
        let origins = audit_trail::origins(reader, &contexts).await?;
        let party_name = sqlx::query_scalar(CONTROLLER).bind(organization.0).fetch_optional(reader.connection()).await?;
        let events = rows.into_iter().map(|row| ConsentEvent {
            event_time: row.happened_at,
            event_state: if row.happened == "REVOKED" { "withdrawn" } else { "given" },
            event_type: row.happened,
            entity_id: user_id,
            policy_version: row.policy_version,
            origin: row.client_context_id.and_then(|context| origins.get(&context).cloned()),
        });
        Ok(ConsentReceipt {
            schema_version: SCHEMA,
            receipt_id: derive_uuid("consent_receipt", &[consent_id.0.as_bytes(), &last.to_be_bytes()]),
            record_id: consent_id.0,
            pii_principal_id: user_id,
            pii_processing,
            party_identification: vec![Party { party_id: organization, party_name, party_role: "PII controller" }],
            events: events.collect(),
        })
    }
}

async fn processing(reader: &mut TenantReader<'_>, rows: &[Row]) -> Result<Processing, ReadError> {
    let organization = reader.organization();
    let agreed = rows.iter().rev().find_map(|row| {
        let (version, language, digest) = (row.policy_version.clone()?, row.language.clone()?, row.document_digest.clone()?);
        Some((ConsentType::parse(&row.consent_type)?, version, language, digest))
    });
    let malformed = || ReadError::Unavailable(anyhow::anyhow!("a consent without anything that was agreed to"));
    let (kind, version, language, digest) = agreed.ok_or_else(malformed)?;
    let query = sqlx::query_as(NOTICE).bind(organization.0).bind(kind.name()).bind(&version).bind(&language);
    let notice: Option<(Uuid, Option<String>)> = query.fetch_optional(reader.connection()).await?;
    let purpose = ProcessingPurpose {
        purpose: kind.purpose(),
        purpose_type: kind.name().to_owned(),
        lawful_basis: "consent",
        pii_information: kind.data().iter().map(|purpose| PiiType { pii_type: purpose.name() }).collect(),
        pii_controllers: vec![organization],
    };
    Ok(Processing {
        privacy_notice: notice.map(|(document, url)| url.unwrap_or_else(|| format!("/api/v1/legal-documents/{document}"))),
        privacy_notice_version: version,
        privacy_notice_digest: digest,
        language,
        purposes: vec![purpose],
    })
}
