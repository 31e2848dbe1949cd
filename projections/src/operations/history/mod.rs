//! What happened? The tenant's part of the log, as a list, as an export and as it grows.
//!
//! Lists and exports find their events through the audit log's index, which leads with the tenant
//! and has actor, type, stream and correlation; the log itself has two indexes and no more, so that
//! appends stay fast. Whoever follows the log reads it directly, in short stretches of positions,
//! and waits for no projection. Sealed fields stay digests everywhere here, but in what people take out
//! of themselves.

mod event;
mod export;
mod follow;
mod own;
mod query;

pub use event::{EventStream, HistoryEvent};
pub use export::{export_ndjson, export_start};
pub use follow::{FollowEvents, follow};
pub use own::{OWN_PROJECTIONS, OwnEvent, own_events};
pub use query::ListEvents;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("operations.history.list", query::LIST),
    ("operations.history.end", export::END),
    ("operations.history.follow", follow::FOLLOW),
    ("operations.history.head", follow::HEAD),
    ("operations.history.own_streams", own::STREAMS),
    ("operations.history.own_page", own::PAGE),
    ("operations.history.own_end", own::OWN_END),
    ("operations.history.own_sealed", own::SEALED),
];
