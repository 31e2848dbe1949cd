//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, DataClass, Facts, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(4));

fn when(command: AccessRecordCommand) -> Result<AccessRecordEvent, AccessRecordError> {
    let facts = Facts { now: DateTime::UNIX_EPOCH, actor: ALICE };
    AccessRecord::default().decide(&command, &facts).map(|mut events| {
        assert_eq!(events.len(), 1);
        events.remove(0)
    })
}

fn refusal(route: &str) -> AccessRecordCommand {
    AccessRecordCommand::Refusal(RecordRefusal {
        user_id: ALICE,
        code: Code::AccessDenied,
        method: HttpMethod::Post,
        route: route.into(),
        status: 403,
        request_id: Uuid::from_u128(3),
        aim: Aim { subject: Some(BOB), ..Aim::default() },
    })
}

/// covers: E-194
#[test]
fn a_refusal_says_at_what_it_was_aimed() {
    let AccessRecordEvent::AccessRefused(refused) = when(refusal("/api/v1/users/{id}")).unwrap() else { panic!("a refusal") };
    assert_eq!((refused.subject_id, refused.target_ids, refused.role, refused.attempted_id), (Some(BOB), None, None, None));
}

fn read(permission: &str) -> AccessRecordCommand {
    AccessRecordCommand::SensitiveRead(RecordSensitiveRead {
        user_id: ALICE,
        route: "/api/v1/audit-logs".into(),
        permission: permission.into(),
        data_class: DataClass::Confidential,
        subject_id: None,
        subjects: [].into(),
    })
}

fn export(name: &str, value: &str) -> AccessRecordCommand {
    AccessRecordCommand::Export(RecordExport {
        user_id: ALICE,
        route: "/api/v1/events".into(),
        from_position: 7,
        filters: [(name.to_owned(), value.to_owned())].into(),
    })
}

#[test]
fn each_command_records_one_entry_of_its_kind() {
    let mut record = AccessRecord::default();
    for command in [refusal("/api/v1/users/{id}"), read("compliance.audit.read"), export("type", "identity.user_created")] {
        record.evolve(&when(command).unwrap());
    }
    assert_eq!(record, AccessRecord { refusals: 1, sensitive_reads: 1, exports: 1 });
}

/// covers: E-190
#[test]
fn the_end_of_an_export_of_everything_names_its_beginning_and_is_no_export_of_its_own() {
    let ended = RecordWholeExport { user_id: ALICE, exported_position: 7, size_bytes: 4_096 };
    let ended = when(AccessRecordCommand::WholeExport(ended)).unwrap();
    assert_eq!(ended, WholeLogExported { user_id: ALICE, exported_position: 7, size_bytes: 4_096 }.into());
    let mut record = AccessRecord::default();
    record.evolve(&when(export("type", "identity.user_created")).unwrap());
    record.evolve(&ended);
    assert_eq!(record.exports, 1);
}

#[test]
fn nothing_that_could_hold_prose_is_recorded() {
    for route in ["", "/a b", "/é", &"/".repeat(201)] {
        assert_eq!(when(refusal(route)), Err(AccessRecordError::RouteInvalid), "{route}");
    }
    for permission in ["", "Audit.read", "audit read"] {
        assert_eq!(when(read(permission)), Err(AccessRecordError::PermissionInvalid), "{permission}");
    }
    for (name, value) in [("", "x"), ("User", "x"), ("actor", "alice@example.com"), ("actor", "Alice Martin"), ("type", &"x".repeat(201))] {
        assert_eq!(when(export(name, value)), Err(AccessRecordError::FiltersInvalid), "{name}={value}");
    }
    for value in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.6+01:00", "points.hold_placed", &ALICE.to_string()] {
        assert!(when(export("since", value)).is_ok(), "{value}");
    }
}

#[test]
fn a_method_of_the_callers_own_making_is_other() {
    assert_eq!(HttpMethod::of("PATCH"), HttpMethod::Patch);
    assert_eq!(HttpMethod::of("MY-NAME-IS-ALICE"), HttpMethod::Other);
}
