//! The machinery under every read model and reactor.
//!
//! The log in PostgreSQL is the truth; JetStream carries it to the projectors and may vanish at
//! any time (ADR 3). Everything that consumes the log keeps a checkpoint in PostgreSQL and sees
//! positions without gaps.
//!
//! An event's way: [`relay`] publishes the log, [`feed`] hands each event to every [`runner`] of
//! the process once, the runner commits a [`batch`] with its [`checkpoint`]. [`supervisor`] starts
//! all of it.

pub mod batch;
pub mod checkpoint;
pub mod comparison;
pub mod due;
pub mod feed;
pub mod head;
pub mod jetstream;
pub mod keys;
pub mod log;
pub mod page;
pub mod parked;
pub mod projector;
mod provenance;
mod reactions;
pub mod reactor;
pub mod reader;
pub mod rebuild;
pub mod relay;
pub(crate) mod report;
pub mod requests;
pub mod retries;
pub mod runner;
pub mod sealing;
mod slots;
pub mod status;
pub mod stop;
mod subscriber;
pub mod supervisor;
pub(crate) mod table;
pub mod timers;
pub mod timetable;
pub mod transient;
mod turns;
pub mod watermarks;
mod window;

pub use keys::{KeyError, Opened, PersonalKeys};
pub use page::{Cursor, Limit, Listing, Page};
pub use projector::{ApplyContext, ApplyError, Delivered, OnFailure, Projector, Slot};
pub use reactor::{ReactError, Reactor};
pub use reader::{Query, ReadError, Readers, TenantReader, in_order};
pub use report::ReportFormat;
pub use supervisor::{Parts, Supervisor};

/// Every SQL statement of the engine, by name. What names a table of one slot is made when it runs.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        batch::STATEMENTS,
        checkpoint::STATEMENTS,
        comparison::STATEMENTS,
        log::STATEMENTS,
        parked::STATEMENTS,
        reactions::STATEMENTS,
        reader::STATEMENTS,
        relay::STATEMENTS,
        requests::STATEMENTS,
        retries::STATEMENTS,
        runner::STATEMENTS,
        sealing::statements::STATEMENTS,
        slots::STATEMENTS,
        status::STATEMENTS,
        timers::STATEMENTS,
        timetable::STATEMENTS,
        watermarks::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
