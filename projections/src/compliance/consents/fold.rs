//! From the events of consents to rows.

use super::PROJECTION;
use crate::{
    compliance::audit_trail::Metadata,
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    compliance::{ConsentType, DocumentVersion, consent::ConsentEvent},
    kernel::{ConsentId, Digest, Event, UserId},
    organizations::Locale,
};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_consents}
        (organization_id, position, user_id, consent_id, consent_type, happened, happened_at, policy_version, language,
         document_digest, client_context_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The fold. Every event is a row.
pub struct Consents;

/// What an event says, of whichever kind it is.
struct Row {
    happened: &'static str,
    user_id: UserId,
    consent_id: ConsentId,
    consent_type: ConsentType,
    agreed: Option<(DocumentVersion, Locale, Digest)>,
}

impl From<ConsentEvent> for Row {
    fn from(event: ConsentEvent) -> Self {
        match event {
            ConsentEvent::ConsentGranted(event) => Self {
                happened: "GRANTED",
                user_id: event.user_id,
                consent_id: event.consent_id,
                consent_type: event.consent_type,
                agreed: Some((event.policy_version, event.language, event.document_digest)),
            },
            ConsentEvent::ConsentRenewed(event) => Self {
                happened: "RENEWED",
                user_id: event.user_id,
                consent_id: event.consent_id,
                consent_type: event.consent_type,
                agreed: Some((event.policy_version, event.language, event.document_digest)),
            },
            ConsentEvent::ConsentRevoked(event) => Self {
                happened: "REVOKED",
                user_id: event.user_id,
                consent_id: event.consent_id,
                consent_type: event.consent_type,
                agreed: None,
            },
        }
    }
}

#[async_trait]
impl Projector for Consents {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_consents"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.consent_granted", "compliance.consent_renewed", "compliance.consent_revoked"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = ConsentEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let row = Row::from(happened);
            let sql = context.slot.sql(INSERT);
            let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(event.position).bind(row.user_id.0);
            let insert = insert.bind(row.consent_id.0).bind(row.consent_type.name()).bind(row.happened).bind(event.recorded_at);
            let insert = insert.bind(row.agreed.as_ref().map(|(version, ..)| version.as_str().to_owned()));
            let insert = insert.bind(row.agreed.as_ref().map(|(_, language, _)| language.tag()));
            let insert = insert.bind(row.agreed.as_ref().map(|(.., digest)| digest.to_string()));
            insert.bind(Metadata::parse(event.metadata.get()).client_context_id).execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_consents_is_of_interest() {
        let all: Vec<_> = ConsentEvent::CATALOGUE.iter().map(|event| event.name).collect();
        assert_eq!(Consents.interests(), all);
    }
}
