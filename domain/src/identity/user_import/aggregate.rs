//! The rules of an import.

use super::{
    Column, ImportCancelled, ImportConfirmed, ImportFinished, ImportMode, ImportPreviewed, ImportRolledBack, ImportRowFailed,
    ImportRowRead, ImportRowRejected, ImportRowRolledBack, ImportRowSucceeded, ImportScanned, ImportStarted, ImportStatus, ImportUploaded,
    ImportValidated, ROWS_MAX, RowError, RowFault, RowStatus, SubmittedRow, UserImportCommand, UserImportError, UserImportEvent,
    invitation_of_row, status, user_of_row,
};
use crate::{
    identity::RoleRef,
    kernel::{Aggregate, Facts, ImportId, Personal, Transition, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the rules need of an import. What its rows say is carried by the events alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub import_id: ImportId,
    pub mode: ImportMode,
    pub status: ImportStatus,
    /// How many rows the table has.
    pub size_rows: u32,
    /// What became of each row so far, in their order.
    rows: Vec<RowStatus>,
    /// The roles that its rows would give.
    pub roles: BTreeSet<RoleRef>,
    /// How often it was run.
    pub run: u32,
    /// In whose name it runs, once confirmed.
    pub started_by: Option<UserId>,
}

impl Import {
    /// What became of a row.
    pub fn row(&self, row: u32) -> Option<RowStatus> {
        self.rows.get(place(row)?).copied()
    }

    /// The numbers of the rows that stand like this.
    pub fn rows_that_are(&self, status: RowStatus) -> impl Iterator<Item = u32> {
        // An import is bounded, so no number is out of reach.
        (1..).zip(&self.rows).filter(move |(_, row)| **row == status).map(|(number, _)| number)
    }

    fn count(&self, status: RowStatus) -> u32 {
        self.rows.iter().map(|row| u32::from(*row == status)).sum()
    }

    fn set(&mut self, row: u32, status: RowStatus) {
        let Some(place) = place(row) else { return };
        if place >= self.rows.len() {
            self.rows.resize(place + 1, RowStatus::Rejected);
        }
        self.rows[place] = status;
    }
}

/// Where a row stands in the list; rows count from 1.
fn place(row: u32) -> Option<usize> {
    usize::try_from(row).ok()?.checked_sub(1).filter(|place| *place < ROWS_MAX)
}

/// An import: nothing, until its table is uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserImport(Option<Import>);

impl UserImport {
    /// What is known of the import, once uploaded.
    pub fn import(&self) -> Option<&Import> {
        self.0.as_ref()
    }

    /// The import, where `transition` leads from where it stands (B.4).
    fn leaving_by(&self, transition: Transition<ImportStatus>) -> Result<&Import, UserImportError> {
        let import = self.0.as_ref().ok_or(UserImportError::NotFound)?;
        if transition.leads_from(import.status) {
            return Ok(import);
        }
        Err(UserImportError::TransitionForbidden { from: import.status, to: transition.to })
    }

    fn validate(&self, rows: &[SubmittedRow]) -> Result<Vec<UserImportEvent>, UserImportError> {
        let Import { import_id, size_rows, .. } = *self.leaving_by(status::VALIDATE)?;
        if rows.len() != place(size_rows).map_or(0, |last| last + 1) {
            return Err(UserImportError::RowCount);
        }
        let mut known = BTreeSet::new();
        let mut events: Vec<UserImportEvent> = Vec::with_capacity(rows.len() + 1);
        let (mut accepted, mut rejected) = (0, 0);
        for (row, submitted) in (1..).zip(rows) {
            let errors = match submitted {
                SubmittedRow::Faulty(errors) => errors.clone(),
                SubmittedRow::Person { lookup, .. } if !known.insert(*lookup) => {
                    vec![RowError::new(Column::Email, RowFault::EmailRepeated)]
                }
                SubmittedRow::Person { email, display_name, role, holder, .. } => {
                    accepted += 1;
                    let read = ImportRowRead {
                        import_id,
                        row,
                        user_id: holder.unwrap_or_else(|| user_of_row(import_id, row)),
                        email: Personal::Clear(email.clone()),
                        display_name: display_name.clone().map(Personal::Clear),
                        role: *role,
                        exists: holder.is_some(),
                    };
                    events.push(read.into());
                    continue;
                }
            };
            rejected += 1;
            events.push(ImportRowRejected { import_id, row, errors }.into());
        }
        events.push(ImportValidated { import_id, accepted, rejected }.into());
        Ok(events)
    }

    fn confirm(&self, facts: &Facts) -> Result<UserImportEvent, UserImportError> {
        let import = self.leaving_by(status::CONFIRM)?;
        if import.count(RowStatus::Ready) == 0 {
            return Err(UserImportError::NothingToDo);
        }
        Ok(ImportConfirmed { import_id: import.import_id, confirmed_by: facts.actor }.into())
    }

    fn begin(&self, facts: &Facts) -> Result<UserImportEvent, UserImportError> {
        let import = self.leaving_by(status::BEGIN)?;
        let started_by = import.started_by.unwrap_or(facts.actor);
        Ok(ImportStarted { import_id: import.import_id, run: import.run + 1, started_by }.into())
    }

    /// The import while it runs, where it is the turn of this row.
    fn running(&self, row: u32) -> Result<&Import, UserImportError> {
        let import = self.0.as_ref().ok_or(UserImportError::NotFound)?;
        let open = import.status == ImportStatus::Running && import.row(row) == Some(RowStatus::Ready);
        if open { Ok(import) } else { Err(UserImportError::RowNotOpen) }
    }

    fn finish(&self) -> Result<UserImportEvent, UserImportError> {
        let failed = self.0.as_ref().map_or(0, |import| import.count(RowStatus::Failed));
        let import = self.leaving_by(if failed == 0 { status::FINISH } else { status::FINISH_PARTLY })?;
        if import.count(RowStatus::Ready) > 0 {
            return Err(UserImportError::RowsOpen);
        }
        let Import { import_id, run, .. } = *import;
        Ok(ImportFinished { import_id, run, invited: import.count(RowStatus::Invited), failed }.into())
    }

    fn roll_back_row(&self, row: u32, revoked: bool) -> Result<UserImportEvent, UserImportError> {
        let import = self.0.as_ref().ok_or(UserImportError::NotFound)?;
        if import.status != ImportStatus::RolledBack || import.row(row) != Some(RowStatus::Invited) {
            return Err(UserImportError::RowNotOpen);
        }
        let import_id = import.import_id;
        let (user_id, invitation_id) = (user_of_row(import_id, row), invitation_of_row(import_id, row));
        Ok(ImportRowRolledBack { import_id, row, user_id, invitation_id, revoked }.into())
    }
}

impl Aggregate for UserImport {
    const TYPE: &'static str = "user_import";
    const SHAPE: u16 = 1;

    type Command = UserImportCommand;
    type Event = UserImportEvent;
    type Error = UserImportError;

    fn decide(&self, command: &UserImportCommand, facts: &Facts) -> Result<Vec<UserImportEvent>, UserImportError> {
        let actor = facts.actor;
        Ok(vec![match command {
            UserImportCommand::Upload { .. } if self.0.is_some() => return Err(UserImportError::AlreadyExists),
            UserImportCommand::Upload { import_id, mode, size_bytes } => {
                ImportUploaded { import_id: *import_id, mode: *mode, size_bytes: *size_bytes, uploaded_by: actor }.into()
            }
            UserImportCommand::Scan { rows } => {
                let import_id = self.leaving_by(status::SCAN)?.import_id;
                if place(*rows).is_none() {
                    return Err(UserImportError::RowCount);
                }
                ImportScanned { import_id, rows: *rows }.into()
            }
            UserImportCommand::Validate(rows) => return self.validate(rows),
            UserImportCommand::Preview => {
                let import = self.leaving_by(status::PREVIEW)?;
                let (to_invite, existing) = (import.count(RowStatus::Ready), import.count(RowStatus::Existing));
                ImportPreviewed { import_id: import.import_id, to_invite, existing }.into()
            }
            UserImportCommand::Confirm => self.confirm(facts)?,
            UserImportCommand::Begin => self.begin(facts)?,
            UserImportCommand::Retry => {
                let Import { import_id, run, .. } = *self.leaving_by(status::RETRY)?;
                ImportStarted { import_id, run: run + 1, started_by: actor }.into()
            }
            UserImportCommand::SucceedRow { row } => {
                let row = *row;
                let Import { import_id, run, .. } = *self.running(row)?;
                let (user_id, invitation_id) = (user_of_row(import_id, row), invitation_of_row(import_id, row));
                ImportRowSucceeded { import_id, row, run, user_id, invitation_id }.into()
            }
            UserImportCommand::FailRow { row, fault } => {
                let Import { import_id, run, .. } = *self.running(*row)?;
                ImportRowFailed { import_id, row: *row, run, fault: *fault }.into()
            }
            UserImportCommand::Finish => self.finish()?,
            UserImportCommand::RollBack => {
                ImportRolledBack { import_id: self.leaving_by(status::ROLL_BACK)?.import_id, rolled_back_by: actor }.into()
            }
            UserImportCommand::RollBackRow { row, revoked } => self.roll_back_row(*row, *revoked)?,
            UserImportCommand::Cancel => ImportCancelled { import_id: self.leaving_by(status::CANCEL)?.import_id }.into(),
        }])
    }

    fn evolve(&mut self, event: &UserImportEvent) {
        if let UserImportEvent::ImportUploaded(uploaded) = event {
            self.0 = Some(Import {
                import_id: uploaded.import_id,
                mode: uploaded.mode,
                status: ImportStatus::Uploaded,
                size_rows: 0,
                rows: Vec::new(),
                roles: BTreeSet::new(),
                run: 0,
                started_by: None,
            });
        }
        let Some(import) = &mut self.0 else { return };
        if let Some(status) = event.status() {
            import.status = status;
        }
        match event {
            UserImportEvent::ImportScanned(scanned) => import.size_rows = scanned.rows,
            UserImportEvent::ImportRowRead(read) if read.exists => import.set(read.row, RowStatus::Existing),
            UserImportEvent::ImportRowRead(read) => {
                import.set(read.row, RowStatus::Ready);
                import.roles.insert(read.role);
            }
            UserImportEvent::ImportRowRejected(rejected) => import.set(rejected.row, RowStatus::Rejected),
            UserImportEvent::ImportConfirmed(confirmed) => import.started_by = Some(confirmed.confirmed_by),
            UserImportEvent::ImportStarted(started) => {
                (import.run, import.started_by) = (started.run, Some(started.started_by));
                import.rows.iter_mut().filter(|row| **row == RowStatus::Failed).for_each(|row| *row = RowStatus::Ready);
            }
            UserImportEvent::ImportRowSucceeded(succeeded) => import.set(succeeded.row, RowStatus::Invited),
            UserImportEvent::ImportRowFailed(failed) => import.set(failed.row, RowStatus::Failed),
            UserImportEvent::ImportRowRolledBack(row) => {
                import.set(row.row, if row.revoked { RowStatus::Revoked } else { RowStatus::Kept });
            }
            _ => {}
        }
    }
}
