//! Imports of people: what each row says, what is wrong with it, and what became of it.
//!
//! Rows of the read model hold nothing personal: the values are opened from beside the event when they
//! are read.

mod fold;
mod people;
mod query;

pub use fold::UserImports;
pub use people::{Person, people_of_import};
pub use query::{GetImport, Import, ImportRow, ImportWithRows, ListImports};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "user_imports";

pub(super) const READS: &[(&str, &str)] = &[
    ("identity.user_imports.list", query::LIST),
    ("identity.user_imports.get", query::GET),
    ("identity.user_imports.rows", query::ROWS),
    ("identity.user_imports.read_rows", people::READ_ROWS),
    ("identity.user_imports.sealed", people::SEALED),
];
