//! What people ask under data protection law: the queue of those who answer, and everyone's own.

mod fold;
mod query;

pub use fold::SubjectRequests;
pub use query::{GetSubjectRequest, ListSubjectRequests, SubjectRequest};

/// The projection's public name.
pub const PROJECTION: &str = "subject_requests";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.subject_requests.insert", fold::INSERT),
    ("compliance.subject_requests.change", fold::CHANGE),
    ("compliance.subject_requests.list", query::LIST),
    ("compliance.subject_requests.get", query::GET),
];
