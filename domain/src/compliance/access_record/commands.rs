//! What the gate asks to record.

use crate::{
    identity::RoleRef,
    kernel::{Code, DataClass, OrganizationId, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The filters of an export: name to value, both opaque tokens and no prose.
pub type Filters = BTreeMap<String, String>;

/// The method of a request; a name of the caller's own making is `Other`, so that no stranger
/// writes text into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
}

impl HttpMethod {
    /// The method of a request line (RFC 9110, which makes them case-sensitive).
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Debug)]
pub enum AccessRecordCommand {
    Refusal(RecordRefusal),
    SensitiveRead(RecordSensitiveRead),
    Export(RecordExport),
    WholeExport(RecordWholeExport),
}

/// Records that the gate refused an authenticated caller.
#[derive(Clone, Debug)]
pub struct RecordRefusal {
    pub user_id: UserId,
    pub code: Code,
    pub method: HttpMethod,
    pub route: String,
    pub status: u16,
    pub request_id: Uuid,
    pub aim: Aim,
}

/// At what a refused request was aimed, as far as it said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    pub subject: Option<UserId>,
    /// The ids that its path named, in their order.
    pub targets: Vec<Uuid>,
    /// The role that it reached for.
    pub role: Option<RoleRef>,
    /// The organization that it reached for, where that is not the caller's own.
    pub organization: Option<OrganizationId>,
}

/// Records that someone read sensitive data.
#[derive(Clone, Debug)]
pub struct RecordSensitiveRead {
    pub user_id: UserId,
    pub route: String,
    pub permission: String,
    pub data_class: DataClass,
    pub subject_id: Option<UserId>,
    /// Whose personal data was shown.
    pub subjects: BTreeSet<UserId>,
}

/// Records that someone took history out.
#[derive(Clone, Debug)]
pub struct RecordExport {
    pub user_id: UserId,
    pub route: String,
    pub from_position: i64,
    pub filters: Filters,
}

/// Records that an export of everything was handed over to its end.
#[derive(Clone, Copy, Debug)]
pub struct RecordWholeExport {
    pub user_id: UserId,
    /// Where it is on record that they took it out.
    pub exported_position: i64,
    pub size_bytes: i64,
}
