//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::{
    identity::{Role, RoleRef},
    kernel::{Aggregate, Code, Facts, ImportId, Personal, Refusal, UserId},
};
use chrono::DateTime;
use uuid::Uuid;

const IMPORT: ImportId = ImportId(Uuid::from_u128(1));
const ADMIN: UserId = UserId(Uuid::from_u128(3));
const HOLDER: UserId = UserId(Uuid::from_u128(4));

fn given(events: &[UserImportEvent]) -> UserImport {
    events.iter().fold(UserImport::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[UserImportEvent], command: UserImportCommand) -> Result<Vec<UserImportEvent>, UserImportError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ADMIN })
}

fn upload() -> UserImportCommand {
    UserImportCommand::Upload { import_id: IMPORT, mode: ImportMode::Invite, size_bytes: 512 }
}

fn person(name: &str, lookup: u128, holder: Option<UserId>) -> SubmittedRow {
    SubmittedRow::Person {
        email: format!("{name}@acme.example"),
        display_name: None,
        role: Role::Member.into(),
        lookup: Uuid::from_u128(lookup),
        holder,
    }
}

fn faulty() -> SubmittedRow {
    SubmittedRow::Faulty(vec![RowError::new(Column::Email, RowFault::EmailInvalid)])
}

/// Two people to invite, one who is there already, one row with a fault.
fn four_rows() -> Vec<SubmittedRow> {
    vec![person("ada", 1, None), person("grace", 2, Some(HOLDER)), faulty(), person("emmy", 3, None)]
}

/// What the commands decide, one after the other.
fn after(history: &[UserImportEvent], commands: &[UserImportCommand]) -> Vec<UserImportEvent> {
    commands.iter().fold(history.to_vec(), |mut history, command| {
        history.extend(when(&history, command.clone()).unwrap());
        history
    })
}

fn fail(row: u32) -> UserImportCommand {
    UserImportCommand::FailRow { row, fault: RowFault::EmailTaken }
}

/// A history that leads to a state.
fn history(status: ImportStatus) -> Vec<UserImportEvent> {
    use UserImportCommand::{Begin, Cancel, Confirm, Finish, Preview, RollBack, Scan, SucceedRow, Validate};
    let before = |status, commands: &[UserImportCommand]| after(&history(status), commands);
    match status {
        ImportStatus::Uploaded => after(&[], &[upload()]),
        ImportStatus::Scanned => before(ImportStatus::Uploaded, &[Scan { rows: 4 }]),
        ImportStatus::Validated => before(ImportStatus::Scanned, &[Validate(four_rows())]),
        ImportStatus::Previewed => before(ImportStatus::Validated, &[Preview]),
        ImportStatus::Confirmed => before(ImportStatus::Previewed, &[Confirm]),
        ImportStatus::Running => before(ImportStatus::Confirmed, &[Begin]),
        ImportStatus::Done => before(ImportStatus::Running, &[SucceedRow { row: 1 }, SucceedRow { row: 4 }, Finish]),
        ImportStatus::Partial => before(ImportStatus::Running, &[SucceedRow { row: 1 }, fail(4), Finish]),
        ImportStatus::RolledBack => before(ImportStatus::Partial, &[RollBack]),
        ImportStatus::Cancelled => before(ImportStatus::Previewed, &[Cancel]),
    }
}

/// The command that leads from one state to another: `RUNNING` is reached by two, and a run ends in two ways.
fn leading(from: ImportStatus, to: ImportStatus) -> Option<UserImportCommand> {
    Some(match to {
        ImportStatus::Uploaded => return None,
        ImportStatus::Scanned => UserImportCommand::Scan { rows: 4 },
        ImportStatus::Validated => UserImportCommand::Validate(four_rows()),
        ImportStatus::Previewed => UserImportCommand::Preview,
        ImportStatus::Confirmed => UserImportCommand::Confirm,
        ImportStatus::Running if from == ImportStatus::Partial => UserImportCommand::Retry,
        ImportStatus::Running => UserImportCommand::Begin,
        ImportStatus::Done | ImportStatus::Partial => UserImportCommand::Finish,
        ImportStatus::RolledBack => UserImportCommand::RollBack,
        ImportStatus::Cancelled => UserImportCommand::Cancel,
    })
}

/// B.4 as it is written there, with the way out of an import that nobody confirmed: a row is where the
/// import stands, a column where it would go, both in the order of [`ImportStatus::ALL`].
const MATRIX: [(ImportStatus, &str); 10] = [
    (ImportStatus::Uploaded, ".A........"),
    (ImportStatus::Scanned, "..A......."),
    (ImportStatus::Validated, "...A......"),
    (ImportStatus::Previewed, "....A....A"),
    (ImportStatus::Confirmed, ".....A...."),
    (ImportStatus::Running, "......AA.."),
    (ImportStatus::Done, ".........."),
    (ImportStatus::Partial, ".....A..A."),
    (ImportStatus::RolledBack, ".........."),
    (ImportStatus::Cancelled, ".........."),
];

/// A history from which only the state can refuse: a run that is to end has ended its rows.
fn ready_to(from: ImportStatus, to: ImportStatus) -> Vec<UserImportEvent> {
    let row = UserImportCommand::SucceedRow { row: 1 };
    match (from, to) {
        (ImportStatus::Running, ImportStatus::Partial) => after(&history(from), &[row, fail(4)]),
        (ImportStatus::Running, _) => after(&history(from), &[row, UserImportCommand::SucceedRow { row: 4 }]),
        _ => history(from),
    }
}

// covers: E-133, E-134
#[test]
fn all_100_cells_of_the_matrix_are_as_b_4_has_them() {
    let mut cells = 0;
    for (from, row) in MATRIX {
        for (to, cell) in ImportStatus::ALL.into_iter().zip(row.chars()) {
            cells += 1;
            let allowed = cell == 'A';
            let ways = TRANSITIONS.iter().filter(|way| way.to == to && way.leads_from(from)).count();
            assert_eq!(ways, usize::from(allowed), "from {from:?} to {to:?}");
            let Some(command) = leading(from, to) else {
                assert_eq!(when(&history(from), upload()), Err(UserImportError::AlreadyExists), "{from:?}");
                continue;
            };
            let before = ready_to(from, to);
            match when(&before, command) {
                Ok(events) => {
                    assert!(allowed, "from {from:?} to {to:?}");
                    let status = given(&[before, events].concat()).import().map(|import| import.status);
                    assert_eq!(status, Some(to), "from {from:?}");
                }
                Err(error) => {
                    assert!(!allowed, "from {from:?} to {to:?}: {error}");
                    assert!(matches!(error, UserImportError::TransitionForbidden { from: named, .. } if named == from), "{error:?}");
                    assert!(error.is_attempt());
                }
            }
        }
    }
    assert_eq!(cells, 100);
}

#[test]
fn nothing_happens_to_an_import_that_is_not_there() {
    for status in ImportStatus::ALL {
        if let Some(command) = leading(ImportStatus::Uploaded, status) {
            assert_eq!(when(&[], command), Err(UserImportError::NotFound), "{status:?}");
        }
    }
    for command in [UserImportCommand::Retry, fail(1), UserImportCommand::RollBackRow { row: 1, revoked: true }] {
        assert_eq!(when(&[], command), Err(UserImportError::NotFound));
    }
}

// covers: E-133
#[test]
fn each_row_is_read_or_rejected_and_the_preview_counts_them() {
    let history = history(ImportStatus::Previewed);
    let read = |row, name: &str, holder: Option<UserId>| -> UserImportEvent {
        ImportRowRead {
            import_id: IMPORT,
            row,
            user_id: holder.unwrap_or_else(|| user_of_row(IMPORT, row)),
            email: Personal::Clear(format!("{name}@acme.example")),
            display_name: None,
            role: Role::Member.into(),
            exists: holder.is_some(),
        }
        .into()
    };
    let errors = vec![RowError::new(Column::Email, RowFault::EmailInvalid)];
    let expected: [UserImportEvent; 8] = [
        ImportUploaded { import_id: IMPORT, mode: ImportMode::Invite, size_bytes: 512, uploaded_by: ADMIN }.into(),
        ImportScanned { import_id: IMPORT, rows: 4 }.into(),
        read(1, "ada", None),
        read(2, "grace", Some(HOLDER)),
        ImportRowRejected { import_id: IMPORT, row: 3, errors }.into(),
        read(4, "emmy", None),
        ImportValidated { import_id: IMPORT, accepted: 3, rejected: 1 }.into(),
        ImportPreviewed { import_id: IMPORT, to_invite: 2, existing: 1 }.into(),
    ];
    assert_eq!(history, expected);
    let state = given(&history);
    let import = state.import().unwrap();
    let rows = [RowStatus::Ready, RowStatus::Existing, RowStatus::Rejected, RowStatus::Ready];
    assert_eq!((1..=4).filter_map(|row| import.row(row)).collect::<Vec<_>>(), rows);
    assert_eq!(import.rows_that_are(RowStatus::Ready).collect::<Vec<_>>(), [1, 4]);
    assert_eq!((import.row(0), import.row(5), import.row(u32::MAX)), (None, None, None));
    assert_eq!(import.roles, [RoleRef::from(Role::Member)].into());
}

// covers: E-133
#[test]
fn of_two_rows_with_one_address_the_first_counts() {
    let scanned = after(&history(ImportStatus::Uploaded), &[UserImportCommand::Scan { rows: 3 }]);
    let rows = vec![person("ada", 1, None), person("ADA", 1, None), person("ada", 1, Some(HOLDER))];
    let validated = after(&scanned, &[UserImportCommand::Validate(rows)]);
    let repeated = |row| -> UserImportEvent {
        let errors = vec![RowError::new(Column::Email, RowFault::EmailRepeated)];
        ImportRowRejected { import_id: IMPORT, row, errors }.into()
    };
    assert!(validated.contains(&repeated(2)) && validated.contains(&repeated(3)));
    assert_eq!(given(&validated).import().unwrap().rows_that_are(RowStatus::Ready).collect::<Vec<_>>(), [1]);
}

#[test]
fn an_import_has_one_to_2_000_rows_and_all_of_them_are_checked() {
    let uploaded = history(ImportStatus::Uploaded);
    for rows in [0, 2_001, u32::MAX] {
        assert_eq!(when(&uploaded, UserImportCommand::Scan { rows }), Err(UserImportError::RowCount), "{rows}");
    }
    assert!(when(&uploaded, UserImportCommand::Scan { rows: 2_000 }).is_ok());
    let scanned = history(ImportStatus::Scanned);
    for rows in [vec![], four_rows()[..3].to_vec(), [four_rows(), vec![faulty()]].concat()] {
        assert_eq!(when(&scanned, UserImportCommand::Validate(rows)), Err(UserImportError::RowCount));
    }
}

#[test]
fn an_import_of_which_no_row_can_be_run_is_not_confirmed() {
    let rows = vec![faulty(), person("grace", 2, Some(HOLDER))];
    let commands = [UserImportCommand::Scan { rows: 2 }, UserImportCommand::Validate(rows), UserImportCommand::Preview];
    let previewed = after(&history(ImportStatus::Uploaded), &commands);
    assert_eq!(when(&previewed, UserImportCommand::Confirm), Err(UserImportError::NothingToDo));
    assert!(when(&previewed, UserImportCommand::Cancel).is_ok());
}

// covers: E-133
#[test]
fn a_row_is_run_once_and_only_while_the_import_runs() {
    for status in ImportStatus::ALL.into_iter().filter(|status| *status != ImportStatus::Running) {
        for command in [UserImportCommand::SucceedRow { row: 1 }, fail(1)] {
            assert_eq!(when(&history(status), command), Err(UserImportError::RowNotOpen), "{status:?}");
        }
    }
    let running = history(ImportStatus::Running);
    let succeeded: UserImportEvent = ImportRowSucceeded {
        import_id: IMPORT,
        row: 1,
        run: 1,
        user_id: user_of_row(IMPORT, 1),
        invitation_id: invitation_of_row(IMPORT, 1),
    }
    .into();
    assert_eq!(when(&running, UserImportCommand::SucceedRow { row: 1 }), Ok(vec![succeeded]));
    let run = after(&running, &[UserImportCommand::SucceedRow { row: 1 }, fail(4)]);
    for row in [0, 1, 2, 3, 4, 5, u32::MAX] {
        assert_eq!(when(&run, UserImportCommand::SucceedRow { row }), Err(UserImportError::RowNotOpen), "{row}");
        assert_eq!(when(&run, fail(row)), Err(UserImportError::RowNotOpen), "{row}");
    }
    assert_eq!(when(&running, UserImportCommand::Finish), Err(UserImportError::RowsOpen));
    let finished = ImportFinished { import_id: IMPORT, run: 1, invited: 1, failed: 1 };
    assert_eq!(when(&run, UserImportCommand::Finish), Ok(vec![finished.into()]));
}

// covers: E-134
#[test]
fn a_retry_runs_the_rows_that_failed_and_no_others() {
    let retried = after(&history(ImportStatus::Partial), &[UserImportCommand::Retry]);
    let state = given(&retried);
    let import = state.import().unwrap();
    assert_eq!((import.run, import.rows_that_are(RowStatus::Ready).collect::<Vec<_>>()), (2, vec![4]));
    let done = after(&retried, &[UserImportCommand::SucceedRow { row: 4 }, UserImportCommand::Finish]);
    assert_eq!(given(&done).import().map(|import| import.status), Some(ImportStatus::Done));
    assert_eq!(done.last(), Some(&ImportFinished { import_id: IMPORT, run: 2, invited: 2, failed: 0 }.into()));
    let again = after(&retried, &[fail(4), UserImportCommand::Finish, UserImportCommand::Retry]);
    assert_eq!(given(&again).import().map(|import| import.run), Some(3));
}

// covers: E-134
#[test]
fn an_import_that_is_rolled_back_says_what_became_of_each_invitation() {
    let rolled_back = history(ImportStatus::RolledBack);
    let row = |revoked| UserImportCommand::RollBackRow { row: 1, revoked };
    for (revoked, status) in [(true, RowStatus::Revoked), (false, RowStatus::Kept)] {
        let after = after(&rolled_back, &[row(revoked)]);
        assert_eq!(given(&after).import().and_then(|import| import.row(1)), Some(status));
        assert_eq!(when(&after, row(true)), Err(UserImportError::RowNotOpen));
    }
    for other in [2, 3, 4, 5] {
        let command = UserImportCommand::RollBackRow { row: other, revoked: true };
        assert_eq!(when(&rolled_back, command), Err(UserImportError::RowNotOpen), "{other}");
    }
    assert_eq!(when(&history(ImportStatus::Partial), row(true)), Err(UserImportError::RowNotOpen));
}

#[test]
fn a_row_makes_the_same_user_and_invitation_however_often_it_is_run() {
    assert_eq!(user_of_row(IMPORT, 1), user_of_row(IMPORT, 1));
    let other = ImportId(Uuid::from_u128(2));
    assert!(user_of_row(IMPORT, 1) != user_of_row(IMPORT, 2) && user_of_row(IMPORT, 1) != user_of_row(other, 1));
    assert_ne!(user_of_row(IMPORT, 1).0, invitation_of_row(IMPORT, 1).0);
}

// covers: E-133
#[test]
fn every_cell_that_is_wrong_is_named_with_its_fault() {
    use {Column::*, RowFault::*};
    let long_name = "x".repeat(201);
    let long_email = format!("a@{}.example", "x".repeat(250));
    for (email, name, role, expected) in [
        ("ada", "Ada", "member", vec![(Email, EmailInvalid)]),
        ("", "Ada", "member", vec![(Email, EmailInvalid)]),
        (long_email.as_str(), "", "member", vec![(Email, TooLong)]),
        ("=cmd@acme.example", "", "member", vec![(Email, Formula)]),
        ("ada@acme.example", "=1+1", "member", vec![(DisplayName, Formula)]),
        ("ada@acme.example", "+33 1", "member", vec![(DisplayName, Formula)]),
        ("ada@acme.example", "-x", "member", vec![(DisplayName, Formula)]),
        ("ada@acme.example", "@SUM(A1)", "member", vec![(DisplayName, Formula)]),
        ("ada@acme.example", "\t=1", "member", vec![(DisplayName, Formula)]),
        ("ada@acme.example", "A\tB", "member", vec![(DisplayName, DisplayNameInvalid)]),
        ("ada@acme.example", &long_name, "member", vec![(DisplayName, TooLong)]),
        ("ada@acme.example", "Ada", "king", vec![(Role, RoleUnknown)]),
        ("ada@acme.example", "Ada", "", vec![(Role, RoleUnknown)]),
        ("ada@acme.example", "Ada", "=member", vec![(Role, Formula)]),
        ("ada", "=x", "king", vec![(Email, EmailInvalid), (DisplayName, Formula), (Role, RoleUnknown)]),
    ] {
        let errors = Cells { email, display_name: name, role }.read().err().unwrap();
        let expected: Vec<_> = expected.into_iter().map(|(column, fault)| RowError::new(column, fault)).collect();
        assert_eq!(errors, expected, "{email:?} {name:?} {role:?}");
    }
    let values = Cells { email: "ada@acme.example", display_name: "", role: "member" }.read().ok().unwrap();
    assert_eq!((values.email.as_str(), values.display_name, values.role), ("ada@acme.example", None, crate::identity::Role::Member.into()));
}

#[test]
fn a_refused_invitation_is_a_fault_of_its_row() {
    for (reason, fault) in [("identity.email_taken", RowFault::EmailTaken), ("identity.role_not_found", RowFault::RoleUnknown)] {
        assert_eq!(RowFault::of_refusal(reason), fault);
    }
    assert_eq!(RowFault::of_refusal("identity.something_else"), RowFault::Refused);
}

#[test]
fn neither_state_nor_debug_output_holds_what_names_the_person() {
    let history = history(ImportStatus::Partial);
    let state = serde_json::to_string(&given(&history)).unwrap();
    let debug = format!("{:?} {history:?}", UserImportCommand::Validate(four_rows()));
    assert!(!state.contains("acme.example") && !debug.contains("acme.example"), "{state} {debug}");
}

#[test]
fn refusals_say_their_code_and_field() {
    let forbidden = UserImportError::TransitionForbidden { from: ImportStatus::Done, to: ImportStatus::RolledBack };
    assert_eq!((forbidden.code(), forbidden.field()), (Code::ValidationError, Some("status")));
    assert_eq!(forbidden.to_string(), "an import that is DONE cannot become ROLLED_BACK");
    assert_eq!((UserImportError::RowCount.code(), UserImportError::RowCount.field()), (Code::ValidationError, Some("csv")));
    assert_eq!(UserImportError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!(UserImportError::NothingToDo.code(), Code::Conflict);
}
