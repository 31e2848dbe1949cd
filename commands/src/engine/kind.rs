//! Aggregates without their type: what the engine needs to hold states of all kinds side by side.

use super::vouched::VOUCHED;
use crate::privacy::PersonalFields;
use crate::store::StreamName;
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{Aggregate, Event, OrganizationId, PersonalVisitor, Purpose, Sealable};
use std::any::Any;
use uuid::Uuid;

/// Reads a stored event: type, schema version, payload.
type Parse = fn(&str, u16, &[u8]) -> anyhow::Result<Box<dyn Change>>;

/// A kind of aggregate.
pub struct Kind {
    pub stream_type: &'static str,
    /// As its snapshots are stored.
    pub shape: u16,
    /// The purpose of the personal data that it decides on; its snapshots are sealed under it.
    pub decides_on: Option<Purpose>,
    pub(super) fresh: fn() -> Box<dyn State>,
    pub(super) parse: Parse,
}

struct KindOf<A>(std::marker::PhantomData<A>);

impl<A: Aggregate> KindOf<A> {
    const KIND: &'static Kind = &Kind {
        stream_type: A::TYPE,
        shape: {
            assert!(A::SHAPE < VOUCHED, "shapes are small");
            A::SHAPE | VOUCHED
        },
        decides_on: A::DECIDES_ON_PERSONAL_DATA,
        fresh: || Box::new(A::default()),
        parse: |event_type, schema_version, payload| {
            Ok(Box::new(Happened::<A>(A::Event::from_payload(event_type, schema_version, payload)?)))
        },
    };
}

/// A stream, and how to fold it.
#[derive(Clone, Copy)]
pub struct StreamRef {
    pub name: StreamName,
    pub(super) kind: &'static Kind,
}

impl StreamRef {
    pub fn of<A: Aggregate>(organization: OrganizationId, id: impl Into<Uuid>) -> Self {
        Self { name: StreamName { organization, stream_type: A::TYPE, id: id.into() }, kind: KindOf::<A>::KIND }
    }

    /// The shape under which its snapshots are stored.
    pub fn shape(&self) -> u16 {
        self.kind.shape
    }
}

/// The state of an aggregate of any kind.
pub(super) trait State: Any + Send + Sync {
    fn snapshot(&self) -> serde_json::Result<Vec<u8>>;
    /// How many bytes [`Self::snapshot`] would have.
    fn snapshot_bytes(&self) -> serde_json::Result<usize>;
    fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()>;
    fn duplicate(&self) -> Box<dyn State>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<A: Aggregate> State for A {
    fn snapshot(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
    fn snapshot_bytes(&self) -> serde_json::Result<usize> {
        let mut written = Counted(0);
        serde_json::to_writer(&mut written, self).map(|()| written.0)
    }
    fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()> {
        *self = serde_json::from_slice(snapshot)?;
        Ok(())
    }
    fn duplicate(&self) -> Box<dyn State> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// Counts what is written to it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An event of an aggregate of any kind.
pub(super) trait Change: PersonalFields + Send + Sync {
    fn event_type(&self) -> &'static str;
    fn schema_version(&self) -> u16;
    fn effective_at(&self) -> Option<DateTime<Utc>>;
    fn payload(&self) -> serde_json::Result<Vec<u8>>;
    /// Evolves a state of its own kind; another kind's stays as it is.
    fn apply(&self, state: &mut dyn State);
    /// Drops clear personal values and keeps their digests.
    fn forget(&mut self);
}

pub(super) struct Happened<A: Aggregate>(pub A::Event);

impl<A: Aggregate> PersonalFields for Happened<A> {
    fn visit(&mut self, visitor: &mut dyn PersonalVisitor) {
        self.0.visit_personal(visitor);
    }
}

impl<A: Aggregate> Change for Happened<A> {
    fn event_type(&self) -> &'static str {
        self.0.event_type()
    }
    fn schema_version(&self) -> u16 {
        self.0.schema_version()
    }
    fn effective_at(&self) -> Option<DateTime<Utc>> {
        self.0.effective_at()
    }
    fn payload(&self) -> serde_json::Result<Vec<u8>> {
        self.0.to_payload()
    }
    fn apply(&self, state: &mut dyn State) {
        if let Some(state) = state.as_any_mut().downcast_mut::<A>() {
            state.evolve(&self.0);
        }
    }
    fn forget(&mut self) {
        struct Forget;
        impl PersonalVisitor for Forget {
            fn field(&mut self, _: &'static str, _: Uuid, _: Purpose, value: &mut dyn Sealable) {
                value.forget();
            }
        }
        self.0.visit_personal(&mut Forget);
    }
}
