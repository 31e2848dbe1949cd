//! From the events of streams to rows.

use super::{PROJECTION, cursors::FORGET_ATTEMPTS};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    compliance::siem_stream::{SiemFailure, SiemStreamEvent, SiemStreamStatus},
    kernel::{Event, SiemStreamId},
};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_siem_streams}
        (organization_id, stream_id, url, format, secret_ref, topics, from_beginning, status, opened_by, created_at, created_position)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) const CHANGE: &str = "
    UPDATE {compliance_siem_streams} SET status = $3, failure = $4 WHERE organization_id = $1 AND stream_id = $2";

/// The fold. Streams are few, so each event is a statement of its own.
pub struct SiemStreams;

#[async_trait]
impl Projector for SiemStreams {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_siem_streams"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.siem_stream_opened",
            "compliance.siem_stream_paused",
            "compliance.siem_stream_resumed",
            "compliance.siem_stream_closed",
            "compliance.siem_stream_failed",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let organization = event.organization_id.0;
            let (stream, status, failure): (SiemStreamId, _, Option<SiemFailure>) =
                match SiemStreamEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                    SiemStreamEvent::SiemStreamOpened(opened) => {
                        let topics: Vec<_> = opened.topics.iter().map(ToString::to_string).collect();
                        let sql = context.slot.sql(INSERT);
                        let insert = sqlx::query(&sql).bind(organization).bind(opened.stream_id.0).bind(opened.url.as_str());
                        let insert = insert.bind(opened.format.name()).bind(opened.secret_ref).bind(topics).bind(opened.from_beginning);
                        let insert = insert.bind(SiemStreamStatus::Active.name()).bind(opened.opened_by.0).bind(event.recorded_at);
                        insert.bind(event.position).execute(&mut *context.tx).await?;
                        continue;
                    }
                    SiemStreamEvent::SiemStreamPaused(paused) => (paused.stream_id, SiemStreamStatus::Paused, None),
                    SiemStreamEvent::SiemStreamResumed(resumed) => (resumed.stream_id, SiemStreamStatus::Active, None),
                    SiemStreamEvent::SiemStreamClosed(closed) => (closed.stream_id, SiemStreamStatus::Closed, None),
                    SiemStreamEvent::SiemStreamFailed(failed) => (failed.stream_id, SiemStreamStatus::Failed, Some(failed.reason)),
                };
            if status == SiemStreamStatus::Active {
                sqlx::query(FORGET_ATTEMPTS).bind(organization).bind(stream.0).execute(&mut *context.tx).await?;
            }
            let failure = failure.map(|failure| match failure {
                SiemFailure::RefusedBySink => "REFUSED_BY_SINK",
                SiemFailure::AddressForbidden => "ADDRESS_FORBIDDEN",
            });
            let sql = context.slot.sql(CHANGE);
            let change = sqlx::query(&sql).bind(organization).bind(stream.0).bind(status.name()).bind(failure);
            change.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}
