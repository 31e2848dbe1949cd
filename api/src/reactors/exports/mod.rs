//! What people take out of what is recorded of them, and of the audit log: built, sealed, and gone when its time is over.

mod answer_key;
pub mod audit;
mod build;
mod document;
mod information;
mod sheet;
mod summary;
mod words;

pub(super) use answer_key::answer_key;
pub(super) use build::BuildExports;
