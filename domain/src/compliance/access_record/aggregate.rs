//! The rules of an access record: everything is recorded, as long as it holds no prose.

use super::{
    AccessRecordCommand, AccessRecordError, AccessRecordEvent, AccessRefused, DataExported, Filters, RecordExport, RecordRefusal,
    RecordSensitiveRead, SensitiveDataRead, WholeLogExported,
};
use crate::kernel::{Aggregate, Facts, UserId};
use serde::{Deserialize, Serialize};

const ROUTE_MAX_CHARS: usize = 200;
const PERMISSION_MAX_CHARS: usize = 100;
/// How many filters of an export are recorded.
pub const FILTERS_MAX: usize = 20;
const FILTER_NAME_MAX_CHARS: usize = 40;
const FILTER_VALUE_MAX_CHARS: usize = 200;

/// How often each kind of entry was recorded: no decision needs more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    pub refusals: u64,
    pub sensitive_reads: u64,
    pub exports: u64,
}

impl Aggregate for AccessRecord {
    const TYPE: &'static str = "access_record";
    const SHAPE: u16 = 1;

    type Command = AccessRecordCommand;
    type Event = AccessRecordEvent;
    type Error = AccessRecordError;

    fn decide(&self, command: &AccessRecordCommand, _facts: &Facts) -> Result<Vec<AccessRecordEvent>, AccessRecordError> {
        match command {
            AccessRecordCommand::Refusal(command) => refusal(command),
            AccessRecordCommand::SensitiveRead(command) => sensitive_read(command),
            AccessRecordCommand::Export(command) => export(command),
            AccessRecordCommand::WholeExport(command) => Ok(WholeLogExported {
                user_id: command.user_id,
                exported_position: command.exported_position,
                size_bytes: command.size_bytes,
            }
            .into()),
        }
        .map(|event| vec![event])
    }

    fn evolve(&mut self, event: &AccessRecordEvent) {
        let count = match event {
            AccessRecordEvent::AccessRefused(_) => &mut self.refusals,
            AccessRecordEvent::SensitiveDataRead(_) => &mut self.sensitive_reads,
            AccessRecordEvent::DataExported(_) => &mut self.exports,
            // It is the end of one that was counted when it began.
            AccessRecordEvent::WholeLogExported(_) => return,
        };
        *count += 1;
    }
}

fn refusal(command: &RecordRefusal) -> Result<AccessRecordEvent, AccessRecordError> {
    check_route(&command.route)?;
    Ok(AccessRefused {
        user_id: command.user_id,
        code: command.code,
        method: command.method,
        route: command.route.clone(),
        status: command.status,
        request_id: command.request_id,
        subject_id: command.aim.subject,
        target_ids: Some(command.aim.targets.clone()).filter(|targets| !targets.is_empty()),
        role: command.aim.role,
        attempted_id: command.aim.organization,
    }
    .into())
}

fn sensitive_read(command: &RecordSensitiveRead) -> Result<AccessRecordEvent, AccessRecordError> {
    check_route(&command.route)?;
    let permission_fits = (1..=PERMISSION_MAX_CHARS).contains(&command.permission.len())
        && command.permission.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_');
    if !permission_fits {
        return Err(AccessRecordError::PermissionInvalid);
    }
    let known = [command.subject_id, Some(command.user_id)];
    let others: Vec<UserId> = command.subjects.iter().copied().filter(|subject| !known.contains(&Some(*subject))).collect();
    Ok(SensitiveDataRead {
        user_id: command.user_id,
        route: command.route.clone(),
        permission: command.permission.clone(),
        data_class: command.data_class,
        subject_id: command.subject_id,
        subjects: Some(others).filter(|others| !others.is_empty()),
    }
    .into())
}

fn export(command: &RecordExport) -> Result<AccessRecordEvent, AccessRecordError> {
    check_route(&command.route)?;
    if !filters_fit(&command.filters) {
        return Err(AccessRecordError::FiltersInvalid);
    }
    Ok(DataExported {
        user_id: command.user_id,
        route: command.route.clone(),
        from_position: command.from_position,
        filters: command.filters.clone(),
    }
    .into())
}

fn check_route(route: &str) -> Result<(), AccessRecordError> {
    let fits = (1..=ROUTE_MAX_CHARS).contains(&route.len()) && route.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(AccessRecordError::RouteInvalid) }
}

fn filters_fit(filters: &Filters) -> bool {
    filters.len() <= FILTERS_MAX && filters.iter().all(|(name, value)| filter_fits(name, value))
}

/// Whether the record may hold a filter: ids, names of types, times and positions pass; an e-mail
/// address, an address of the network, words that somebody looked for, or a sentence do not.
pub fn filter_fits(name: &str, value: &str) -> bool {
    !matches!(name, "ip" | "text")
        && value.parse::<core::net::IpAddr>().is_err()
        && (1..=FILTER_NAME_MAX_CHARS).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && value.len() <= FILTER_VALUE_MAX_CHARS
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:,+-".contains(&byte))
}
