//! `GET consents/{consent_id}/receipt`: a consent as ISO/IEC TS 27560 has it.
//!
//! Whom to turn to, whose law applies and where the notice is public the organization says in its settings
//! (`privacy`); what it has not said is null.

use super::PROJECTION;
use crate::{
    compliance::{
        audit_trail::{self, Origin},
        legal_documents, retention_schedules,
    },
    engine::{Query, ReadError, TenantReader},
    organizations::directory,
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::{ConsentType, retention_schedule::RecordClass, subject_request::SubjectRequestKind},
    kernel::{ConsentId, DataClass, OrganizationId, Purpose, Recipient, UserId, derive_uuid},
    organizations::organization::Controller,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const HISTORY: &str = "
    SELECT position, consent_type, happened, happened_at, policy_version, language, document_digest, client_context_id
    FROM compliance_consents WHERE organization_id = $1 AND user_id = $2 AND consent_id = $3 ORDER BY position";

pub(super) const NOTICE: &str = "
    SELECT document_id, url FROM compliance_legal_documents
    WHERE organization_id = $1 AND consent_type = $2 AND version = $3 AND language = $4";

const SCHEMA: &str = "ISO/IEC TS 27560:2023";
const REVOKED: &str = "REVOKED";
const UNTIL_WITHDRAWN: &str = "UNTIL_WITHDRAWN_OR_REPLACED";

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
    /// Where everybody can read the notice.
    pub privacy_notice: Option<String>,
    /// The very text that was agreed to, for whoever is signed in.
    pub privacy_notice_document: Option<String>,
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
    /// Whom it reaches outside of the server, by category.
    pub recipient_third_parties: Vec<Recipient>,
    /// How it is taken back, at any time.
    pub withdrawal_method: String,
    /// What can be asked for by law, by `POST /me/subject-requests`.
    pub privacy_rights: Vec<&'static str>,
    /// The country whose law applies.
    pub jurisdiction: Option<String>,
}

/// A kind of personal data.
#[derive(Debug, Serialize, ToSchema)]
pub struct PiiType {
    pub pii_type: &'static str,
    /// How long it is kept after the account's end, as ISO 8601 writes durations.
    #[schema(example = "P3653D")]
    pub retention_period: String,
}

/// Who answers for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Party {
    pub party_id: OrganizationId,
    pub party_name: Option<String>,
    pub party_role: &'static str,
    /// How to reach them.
    pub party_contact: Option<String>,
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
    /// How long it holds: until it is taken back, or a newer version is agreed to. Missing of what took it back.
    pub validity_duration: Option<&'static str>,
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

    const PROJECTIONS: &'static [&'static str] =
        &[PROJECTION, legal_documents::PROJECTION, directory::PROJECTION, retention_schedules::PROJECTION];
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
        let controller = directory::controller(reader).await?;
        let pii_processing = processing(reader, consent_id, &rows, controller.as_ref()).await?;
        let contexts: Vec<Uuid> = rows.iter().filter_map(|row| row.client_context_id).collect();
        let origins = audit_trail::origins(reader, &contexts).await?;
        let events = rows.into_iter().map(|row| ConsentEvent {
            event_time: row.happened_at,
            event_state: if row.happened == REVOKED { "withdrawn" } else { "given" },
            validity_duration: (row.happened != REVOKED).then_some(UNTIL_WITHDRAWN),
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
            party_identification: parties(organization, controller),
            events: events.collect(),
        })
    }
}

/// Who answers for it, and its data protection officer where it has named one.
fn parties(organization: OrganizationId, controller: Option<Controller>) -> Vec<Party> {
    let (name, contact, officer) = controller.map_or((None, None, None), |of| (Some(of.name), of.contact, of.data_protection_officer));
    let party = |party_name, party_role, party_contact| Party { party_id: organization, party_name, party_role, party_contact };
    let officer = officer.map(|contact| party(None, "Data protection officer", Some(contact)));
    std::iter::once(party(name, "PII controller", contact)).chain(officer).collect()
}

async fn processing(
    reader: &mut TenantReader<'_>,
    consent: ConsentId,
    rows: &[Row],
    controller: Option<&Controller>,
) -> Result<Processing, ReadError> {
    let organization = reader.organization();
    let agreed = rows.iter().rev().find_map(|row| {
        let (version, language, digest) = (row.policy_version.clone()?, row.language.clone()?, row.document_digest.clone()?);
        Some((ConsentType::parse(&row.consent_type)?, version, language, digest))
    });
    let malformed = || ReadError::Unavailable(anyhow::anyhow!("a consent without anything that was agreed to"));
    let (kind, version, language, digest) = agreed.ok_or_else(malformed)?;
    let query = sqlx::query_as(NOTICE).bind(organization.0).bind(kind.name()).bind(&version).bind(&language);
    let notice: Option<(Uuid, Option<String>)> = query.fetch_optional(reader.connection()).await?;
    let (document, url) = notice.map_or((None, None), |(document, url)| (Some(document), url));
    let schedule = retention_schedules::periods(reader).await?;
    let days = |class: RecordClass| schedule.iter().find(|period| period.class == class).map_or(0, |period| period.days);
    let pii = |purpose: &Purpose| PiiType { pii_type: purpose.name(), retention_period: format!("P{}D", days(RecordClass::of(*purpose))) };
    let mut recipient_third_parties: Vec<Recipient> = Vec::new();
    for recipient in kind.data().iter().flat_map(|purpose| purpose.processing().recipients) {
        if !recipient_third_parties.contains(recipient) {
            recipient_third_parties.push(*recipient);
        }
    }
    let purpose = ProcessingPurpose {
        purpose: kind.purpose(),
        purpose_type: kind.name().to_owned(),
        lawful_basis: "consent",
        pii_information: kind.data().iter().map(pii).collect(),
        pii_controllers: vec![organization],
        recipient_third_parties,
        withdrawal_method: format!("PATCH /api/v1/consents/{}/revoke", consent.0),
        privacy_rights: SubjectRequestKind::ALL.map(SubjectRequestKind::name).to_vec(),
        jurisdiction: controller.and_then(|of| of.jurisdiction.clone()),
    };
    Ok(Processing {
        privacy_notice: url.or_else(|| controller.and_then(|of| of.notice_url.clone())),
        privacy_notice_document: document.map(|document| format!("/api/v1/legal-documents/{document}")),
        privacy_notice_version: version,
        privacy_notice_digest: digest,
        language,
        purposes: vec![purpose],
    })
}
