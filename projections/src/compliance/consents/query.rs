//! `GET users/{user_id}/consents` and `GET me/consents`: what somebody agreed to, now or then.

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
    kernel::{DataClass, UserId},
    organizations::organization::Settings,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// Of every type the last that happened, and what was agreed to last and first by the same consent.
pub(super) const STATES: &str = "
    SELECT DISTINCT ON (c.consent_type)
           c.consent_type, c.consent_id, c.happened, c.happened_at, a.policy_version, a.language, a.document_digest, a.happened_at AS agreed_at,
           a.client_context_id,
           (SELECT min(f.happened_at) FROM compliance_consents f
            WHERE f.organization_id = $1 AND f.user_id = $2 AND f.consent_id = c.consent_id) AS granted_at
    FROM compliance_consents c
    JOIN LATERAL (
        SELECT policy_version, language, document_digest, happened_at, client_context_id FROM compliance_consents
        WHERE organization_id = $1 AND user_id = $2 AND consent_id = c.consent_id AND position <= c.position AND policy_version IS NOT NULL
        ORDER BY position DESC LIMIT 1) a ON true
    WHERE c.organization_id = $1 AND c.user_id = $2 AND c.position <= $3
    ORDER BY c.consent_type, c.position DESC";

/// The texts of the version of every type that was in force at a moment, as it was known at a position.
pub(super) const DOCUMENTS: &str = "
    SELECT consent_type, document_id, version, language, digest, url, effective_at
    FROM compliance_legal_documents d
    WHERE organization_id = $1 AND published_position <= $2 AND effective_at = (
        SELECT max(effective_at) FROM compliance_legal_documents
        WHERE organization_id = $1 AND consent_type = d.consent_type AND published_position <= $2 AND effective_at <= $3)
    ORDER BY consent_type, language";

pub(super) const REQUIRED: &str = "SELECT settings FROM organizations_directory WHERE organization_id = $1 AND id = $1";

pub(super) const RECORDED_AT: &str = "
    SELECT recorded_at FROM compliance_audit_log WHERE organization_id = $1 AND position <= $2 ORDER BY position DESC LIMIT 1";

/// The consents of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentsOfUser {
    pub user_id: UserId,
    /// By type: those that were ever given, and those of which a document is in force.
    pub items: Vec<ConsentRecord>,
}

/// Where somebody stands about one type of consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentRecord {
    pub consent_type: String,
    /// Whether the organization lets nobody in without it; as it is set now, also of the past.
    pub required: bool,
    /// Whether a consent held, to whichever version: what it is for was covered.
    pub covered: bool,
    /// Whether it was to the version that was in force.
    pub current: bool,
    pub consent: Option<GivenConsent>,
    pub in_force: Option<DocumentInForce>,
}

/// A consent that was given, and perhaps taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct GivenConsent {
    pub id: Uuid,
    /// `GIVEN` or `REVOKED`.
    pub status: &'static str,
    pub policy_version: String,
    pub language: String,
    /// SHA-256 of the text that was agreed to.
    pub document_digest: String,
    pub granted_at: DateTime<Utc>,
    /// When this version was agreed to, where that was later.
    pub renewed_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// From where this version was agreed to; missing once erased.
    pub origin: Option<Origin>,
}

/// The version of a document that is in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentInForce {
    pub version: String,
    pub effective_at: DateTime<Utc>,
    pub texts: Vec<DocumentText>,
}

/// A text of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentText {
    pub document_id: Uuid,
    pub language: String,
    pub digest: String,
    pub url: Option<String>,
}

#[derive(sqlx::FromRow)]
struct State {
    consent_type: String,
    consent_id: Uuid,
    happened: String,
    happened_at: DateTime<Utc>,
    policy_version: String,
    language: String,
    document_digest: String,
    agreed_at: DateTime<Utc>,
    client_context_id: Option<Uuid>,
    granted_at: DateTime<Utc>,
}

type DocumentRow = (String, Uuid, String, String, String, Option<String>, DateTime<Utc>);

/// What somebody agreed to; with `as_of`, whether something was covered at that moment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserConsents {
    pub user_id: UserId,
    /// A position or an RFC 3339 time.
    #[serde(default)]
    pub as_of: Option<String>,
}

impl Query for UserConsents {
    type Output = ConsentsOfUser;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, legal_documents::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<ConsentsOfUser, ReadError> {
        let at = self.moment(reader).await?;
        let items = consents_of(reader, self.user_id, reader.as_of.unwrap_or(i64::MAX), at).await?;
        Ok(ConsentsOfUser { user_id: self.user_id, items })
    }
}

impl UserConsents {
    /// The moment that is asked about; of a position, that of the organization's last event up to there.
    async fn moment(&self, reader: &mut TenantReader<'_>) -> Result<DateTime<Utc>, ReadError> {
        let Some(text) = &self.as_of else { return Ok(reader.now()) };
        if let Ok(time) = DateTime::parse_from_rfc3339(&text.replace(' ', "+")) {
            return Ok(time.with_timezone(&Utc));
        }
        let (organization, position) = (reader.organization().0, reader.as_of);
        let query = sqlx::query_scalar(RECORDED_AT).bind(organization).bind(position);
        Ok(query.fetch_optional(reader.connection()).await?.unwrap_or(DateTime::UNIX_EPOCH))
    }
}

/// Where somebody stands about every type, as it was known at a position, with what was in force at a moment.
pub(in crate::compliance) async fn consents_of(
    reader: &mut TenantReader<'_>,
    user: UserId,
    position: i64,
    at: DateTime<Utc>,
) -> Result<Vec<ConsentRecord>, ReadError> {
    let organization = reader.organization().0;
    reader.touches(user.0);
    reader.touches(organization);
    let states = sqlx::query_as(STATES).persistent(false).bind(organization).bind(user.0).bind(position);
    let states: Vec<State> = states.fetch_all(reader.connection()).await?;
    let contexts: Vec<Uuid> = states.iter().filter_map(|state| state.client_context_id).collect();
    let origins = audit_trail::origins(reader, &contexts).await?;
    let documents = sqlx::query_as(DOCUMENTS).persistent(false).bind(organization).bind(position).bind(at);
    let mut in_force = by_type(documents.fetch_all(reader.connection()).await?);
    let settings: Option<Json<Settings>> = sqlx::query_scalar(REQUIRED).bind(organization).fetch_optional(reader.connection()).await?;
    let required = settings.and_then(|Json(settings)| settings.required_consents).unwrap_or_default();
    let mut states: BTreeMap<String, State> = states.into_iter().map(|state| (state.consent_type.clone(), state)).collect();

    let records = ConsentType::ALL.into_iter().filter_map(|kind| {
        let given = states.remove(kind.name()).map(|state| {
            let origin = state.client_context_id.and_then(|context| origins.get(&context).cloned());
            GivenConsent::of(state, origin)
        });
        record(kind, &required, given, in_force.remove(kind.name()))
    });
    Ok(records.collect())
}

fn record(
    kind: ConsentType,
    required: &BTreeSet<ConsentType>,
    given: Option<GivenConsent>,
    in_force: Option<DocumentInForce>,
) -> Option<ConsentRecord> {
    if given.is_none() && in_force.is_none() {
        return None;
    }
    let covered = given.as_ref().is_some_and(|given| given.revoked_at.is_none());
    let version = given.as_ref().map(|given| given.policy_version.as_str());
    let current = covered && in_force.as_ref().is_some_and(|in_force| version == Some(in_force.version.as_str()));
    let (consent_type, required) = (kind.name().to_owned(), required.contains(&kind));
    Some(ConsentRecord { consent_type, required, covered, current, consent: given, in_force })
}

fn by_type(rows: Vec<DocumentRow>) -> BTreeMap<String, DocumentInForce> {
    let mut in_force: BTreeMap<String, DocumentInForce> = BTreeMap::new();
    for (consent_type, document_id, version, language, digest, url, effective_at) in rows {
        let entry = in_force.entry(consent_type).or_insert_with(|| DocumentInForce { version, effective_at, texts: Vec::new() });
        entry.texts.push(DocumentText { document_id, language, digest, url });
    }
    in_force
}

impl GivenConsent {
    fn of(state: State, origin: Option<Origin>) -> Self {
        let revoked = state.happened == "REVOKED";
        Self {
            id: state.consent_id,
            status: if revoked { "REVOKED" } else { "GIVEN" },
            policy_version: state.policy_version,
            language: state.language,
            document_digest: state.document_digest,
            granted_at: state.granted_at,
            renewed_at: (state.agreed_at != state.granted_at).then_some(state.agreed_at),
            revoked_at: revoked.then_some(state.happened_at),
            origin,
        }
    }
}
