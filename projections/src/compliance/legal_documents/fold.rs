//! From the events of legal documents to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{compliance::legal_document::LegalDocumentEvent, kernel::Event};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_legal_documents}
        (organization_id, document_id, consent_type, version, language, digest, content, url, effective_at, published_at, published_position)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The fold. Documents are few, so each event is a statement of its own.
pub struct LegalDocuments;

#[async_trait]
impl Projector for LegalDocuments {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_legal_documents"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.legal_document_published"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = LegalDocumentEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let LegalDocumentEvent::LegalDocumentPublished(published) = happened;
            let sql = context.slot.sql(INSERT);
            let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(published.document_id.0);
            let insert = insert.bind(published.consent_type.name()).bind(published.version.as_str()).bind(published.language.tag());
            let insert = insert.bind(published.digest.to_string()).bind(published.text).bind(published.url);
            let insert = insert.bind(published.effective_at).bind(event.recorded_at).bind(event.position);
            insert.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}
