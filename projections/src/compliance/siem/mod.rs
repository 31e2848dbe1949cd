//! What of the audit log is sent where, and how far that came.
//!
//! The streams are a read model of their events. Their cursors are none: how far the sending came is in
//! no event, so that it belongs to no slot and outlives every rebuild.

mod cursors;
mod fold;
mod lines;
mod ocsf;
mod query;

pub use cursors::{Batch, Cursor, Cursors, InVain};
pub use fold::SiemStreams;
pub use lines::{Line, body, content_type};
pub use query::{ListSiemStreams, SiemStreamRow};

/// The projection's public name.
pub const PROJECTION: &str = "siem_streams";

pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("compliance.siem.insert", fold::INSERT), ("compliance.siem.change", fold::CHANGE), ("compliance.siem.list", query::LIST)];

/// What the forwarder runs as role `palmares_projector`.
pub const CURSOR_STATEMENTS: &[(&str, &str)] = cursors::STATEMENTS;
