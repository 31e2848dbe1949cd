//! Who is to be deleted, how far it is, and what is kept of them until when.

mod fold;
mod query;
mod traces;

pub use fold::DeletionRequests;
pub use query::{
    DeletionRequest, EarlierCertificate, EarlierRequest, GetCertificate, GetDeletionRequest, Kept, ListDeletionRequests, PastCheck,
    SignedCertificate, open_requests,
};
pub use traces::{SealedFields, audited, footprint, sealed_by_field, sealed_by_purpose, taken_out_since};

/// The projection's public name.
pub const PROJECTION: &str = "deletion_requests";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.deletion_requests.insert", fold::INSERT),
    ("compliance.deletion_requests.change", fold::CHANGE),
    ("compliance.deletion_requests.list", query::LIST),
    ("compliance.deletion_requests.get", query::GET),
    ("compliance.deletion_requests.sealed", query::SEALED),
    ("compliance.deletion_requests.open", query::OPEN),
    ("compliance.deletion_requests.certificate", query::CERTIFICATE),
    ("compliance.deletion_requests.taken_out_since", traces::TAKEN_OUT_SINCE),
    ("compliance.deletion_requests.footprint", traces::FOOTPRINT),
    ("compliance.deletion_requests.sealed_by_purpose", traces::SEALED_BY_PURPOSE),
    ("compliance.deletion_requests.sealed_by_field", traces::SEALED_BY_FIELD),
    ("compliance.deletion_requests.naming", traces::NAMING),
    ("compliance.deletion_requests.entries", traces::ENTRIES),
];
