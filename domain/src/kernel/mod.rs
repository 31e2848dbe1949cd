//! What every aggregate is made of: ids, events, decisions, personal data, refusals.

pub mod admission;
pub mod aggregate;
pub mod calendar;
pub mod event;
pub mod ids;
pub mod lifecycle;
pub mod log;
pub mod personal;
pub mod problem;
pub mod processing;
pub mod text;

pub use admission::{Admission, Admitted, ClientContext, Idempotency, Tenant};
pub use aggregate::{Aggregate, Facts};
pub use event::{DataClass, Event, EventSpec, FieldSpec, UnreadableEvent};
pub use ids::*;
pub use lifecycle::{LifeCycle, Standing, Transition};
pub use log::{RecordedEvent, StreamVersion};
pub use personal::{Digest, Personal, PersonalVisitor, Place, Purpose, Sealable};
pub use problem::{Code, FieldError, Refusal};
pub use processing::{LegalBasis, Processing, Recipient};
