//! Runs imports that were confirmed, and takes back those that were rolled back, row by row.
//!
//! A run is one event, which counts as handled once every row is done. Whoever is interrupted finds what
//! is done already in the import itself, and each row is one command under an id of its own: nobody is
//! invited twice.

use super::{System, execute, failed, parse, tenant_of};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use palmares_commands::{
    engine::{Engine, Operation, Rejection},
    identity::{BeginImport, Email, FailImportRow, FinishImport, InviteImportRow, RevokeImportRow},
};
use palmares_domain::{
    identity::user_import::{ImportStarted, RowFault, RowStatus, UserImport, UserImportEvent},
    kernel::{Admission, ImportId, RecordedEvent, UserId},
};
use palmares_projections::{
    engine::{Delivered, ReactError, Reactor, Readers, reactor::command_id},
    identity::user_imports::{Person, people_of_import},
};
use std::{collections::BTreeSet, sync::Arc};

const SYSTEM: System = System { name: "identity.run_imports", permission: "system.run_imports" };

/// Rows that are on their way at a time. They share the stream of their import, so that more would wait.
const ROWS_AT_A_TIME: usize = 8;

/// The command that begins or ends a run; those of a row follow it.
const OF_RUN: u32 = 0;

pub(super) struct RunImports {
    pub engine: Arc<Engine>,
    pub readers: Readers,
}

#[async_trait]
impl Reactor for RunImports {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.import_confirmed", "identity.import_started", "identity.import_rolled_back"]
    }

    fn concurrency(&self) -> usize {
        4
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        match parse(event)? {
            UserImportEvent::ImportConfirmed(confirmed) => self.begin(event, confirmed.import_id, confirmed.confirmed_by).await,
            UserImportEvent::ImportStarted(started) => self.run(event, &started).await,
            UserImportEvent::ImportRolledBack(back) => self.roll_back(event, back.import_id, back.rolled_back_by).await,
            _ => Ok(()),
        }
    }
}

impl RunImports {
    async fn begin(&self, event: &RecordedEvent, import_id: ImportId, actor: UserId) -> Result<(), ReactError> {
        self.execute(event, OF_RUN, actor, BeginImport { import_id }).await.map_err(failed)
    }

    /// Runs every row whose turn it is, then ends the run.
    async fn run(&self, event: &RecordedEvent, started: &ImportStarted) -> Result<(), ReactError> {
        let ImportStarted { import_id, run, started_by: actor } = *started;
        let newest = |found: &UserImport| found.import().is_some_and(|import| import.run == run);
        if !self.engine.look(event.organization_id, import_id, newest).await.map_err(failed)? {
            // Delivered again after a retry: the rows are that one's.
            return Ok(());
        }
        let people = self.people(event, import_id, RowStatus::Ready).await?;
        let rows = stream::iter(people).map(|person| self.invite(event, import_id, actor, person));
        rows.buffer_unordered(ROWS_AT_A_TIME).try_collect::<()>().await?;
        self.execute(event, OF_RUN, actor, FinishImport { import_id }).await.map_err(failed)
    }

    async fn roll_back(&self, event: &RecordedEvent, import_id: ImportId, actor: UserId) -> Result<(), ReactError> {
        let people = self.people(event, import_id, RowStatus::Invited).await?;
        let rows = stream::iter(people).map(async |Person { row, email, .. }| {
            let revoke = RevokeImportRow { import_id, row, email: email.map(Email::from) };
            self.execute(event, of_row(row), actor, revoke).await.map_err(failed)
        });
        rows.buffer_unordered(ROWS_AT_A_TIME).try_collect::<()>().await
    }

    /// Invites one person; what refuses that is recorded with the row.
    async fn invite(&self, event: &RecordedEvent, import_id: ImportId, actor: UserId, person: Person) -> Result<(), ReactError> {
        let Person { row, email, display_name, role } = person;
        let fault = match email.map(Email::from) {
            None => RowFault::Erased,
            Some(email) => {
                let invite = InviteImportRow { import_id, row, email, display_name, role };
                match self.execute(event, of_row(row), actor, invite).await {
                    Ok(()) => return Ok(()),
                    Err(Rejection::Refused(refused)) => {
                        let of_field = refused.errors.first().map(|error| error.reason.as_str());
                        RowFault::of_refusal(of_field.unwrap_or(&refused.reason))
                    }
                    Err(rejection) => return Err(failed(rejection)),
                }
            }
        };
        self.execute(event, of_row(row) + 1, actor, FailImportRow { import_id, row, fault }).await.map_err(failed)
    }

    /// The people of the rows that stand like this now.
    async fn people(&self, event: &RecordedEvent, import: ImportId, status: RowStatus) -> Result<Vec<Person>, ReactError> {
        let open = |found: &UserImport| found.import().map(|import| import.rows_that_are(status).collect::<BTreeSet<u32>>());
        let open = self.engine.look(event.organization_id, import, open).await.map_err(failed)?.unwrap_or_default();
        let transient = |error| ReactError::Transient(anyhow::Error::from(error));
        let mut reader = self.readers.open(tenant_of(event), None).await.map_err(transient)?;
        let mut people = people_of_import(&mut reader, import).await.map_err(transient)?;
        people.retain(|person| open.contains(&person.row));
        Ok(people)
    }

    /// Executes a command of the run, in the name of whoever let the import run.
    async fn execute<O: Operation>(&self, event: &RecordedEvent, index: u32, actor: UserId, operation: O) -> Result<(), Rejection> {
        let admission = Admission { actor, ..SYSTEM.following(event, command_id(event.id, SYSTEM.name, index)) };
        execute(&self.engine, admission, operation).await.map(drop)
    }
}

/// The commands of a row: the one that runs it, then the one that records that it failed.
fn of_row(row: u32) -> u32 {
    row.saturating_mul(2)
}
