//! Answers that are not decided anew: the first one of a repeated command, and that of a dry run.

use super::execute::{Decided, Held};
use super::{Answer, Receipt, Rejection};
use crate::store::CommandRecord;
use palmares_domain::kernel::{Digest, Idempotency, PersonalVisitor, Purpose, Sealable};
use uuid::Uuid;

pub(super) fn command_record(key: &Idempotency, answer: &Answer) -> Result<CommandRecord, Rejection> {
    let answer = serde_json::to_vec(answer).map_err(anyhow::Error::from)?;
    Ok(CommandRecord { id: key.command_id, request_hash: key.request_hash, answer, position: 0, version: 0 })
}

/// The first answer of a command, if it is asked again with the same request.
pub(super) fn replay(key: &Idempotency, record: &CommandRecord) -> Result<Receipt, Rejection> {
    if record.request_hash != key.request_hash {
        return Err(Rejection::KeyReused);
    }
    let answer = serde_json::from_slice(&record.answer).map_err(anyhow::Error::from)?;
    Ok(Receipt { answer, position: record.position, version: record.version, replayed: true })
}

/// The answer to a dry run: the events that would be recorded, personal fields as the digest of nothing.
pub(super) fn rehearse(held: &[Held], decided: Decided) -> Result<Receipt, Rejection> {
    struct Hide;
    impl PersonalVisitor for Hide {
        fn field(&mut self, _: &'static str, _: Uuid, _: Purpose, value: &mut dyn Sealable) {
            value.set_sealed(Digest([0; 32]));
        }
    }
    let mut events = Vec::new();
    let mut version = 0;
    for (held, changes) in held.iter().zip(decided.changes) {
        for mut change in changes {
            change.visit(&mut Hide);
            let payload: serde_json::Value =
                change.payload().and_then(|payload| serde_json::from_slice(&payload)).map_err(anyhow::Error::from)?;
            let stream = serde_json::json!({ "type": held.stream.name.stream_type, "id": held.stream.name.id });
            events.push(serde_json::json!({ "type": change.event_type(), "schema_version": change.schema_version(),
                "stream": stream, "payload": payload }));
        }
        if held.writable {
            version = version.max(held.loaded()?.version);
        }
    }
    let answer = Answer::default().with("status", "dry_run").with("events", events);
    Ok(Receipt { answer, position: 0, version, replayed: false })
}
