//! Who is a user here, in which role and standing, and who is behind an external reference?
//!
//! Rows hold nothing personal: where the events stand that named the person, and a keyed hash to
//! find a user by the external reference. Names are opened when they are read, so that whoever was
//! erased is nameless here at once.

mod factors;
mod fold;
mod names;
mod naming;
mod newest;
mod officers;
mod query;

pub use fold::Users;
pub use names::external_refs;
pub use newest::{OwnNames, address_of, own_names};
pub use officers::officers_besides;
pub use query::{GetUser, ListUsers, User};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "users";

pub(super) const READS: &[(&str, &str)] = &[
    ("identity.directory.list", query::LIST),
    ("identity.directory.get", query::GET),
    ("identity.directory.named", names::NAMED),
    ("identity.directory.sealed", names::SEALED),
    ("identity.directory.names", names::NAMES),
    ("identity.directory.newest", newest::NEWEST),
    ("identity.directory.officers_besides", officers::OFFICERS_BESIDES),
];
