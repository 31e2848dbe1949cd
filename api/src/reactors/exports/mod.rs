//! What people take out of what is recorded of them: built, sealed, and gone when its time is over.

mod build;
mod document;
mod summary;

pub(super) use build::BuildExports;
