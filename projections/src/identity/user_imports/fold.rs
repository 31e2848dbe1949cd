//! From the events of imports to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    identity::user_import::{Column, ImportRowRead, ImportStatus, ImportUploaded, RowError, RowFault, RowStatus, UserImportEvent},
    kernel::{Event, Purpose, RecordedEvent},
};
use uuid::Uuid;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.user_imports.insert", INSERT),
    ("identity.user_imports.set_status", SET_STATUS),
    ("identity.user_imports.confirm", CONFIRM),
    ("identity.user_imports.start", START),
    ("identity.user_imports.insert_row", INSERT_ROW),
    ("identity.user_imports.set_row", SET_ROW),
    ("identity.user_imports.forget", FORGET),
];

const INSERT: &str = "
    INSERT INTO {identity_user_imports}
        (organization_id, import_id, status, mode, run, uploaded_by, created_at, created_position, changed_at)
    VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $6)";

const SET_STATUS: &str = "
    UPDATE {identity_user_imports} SET status = $3, changed_at = $4 WHERE organization_id = $1 AND import_id = $2";

const CONFIRM: &str = "
    UPDATE {identity_user_imports} SET confirmed_by = $3 WHERE organization_id = $1 AND import_id = $2";

/// Rows that failed before are run again.
const START: &str = "
    WITH started AS (
        UPDATE {identity_user_imports} SET run = $3 WHERE organization_id = $1 AND import_id = $2)
    UPDATE {identity_user_import_rows} SET status = 'READY', errors = '[]'
    WHERE organization_id = $1 AND import_id = $2 AND status = 'FAILED'";

const INSERT_ROW: &str = "
    INSERT INTO {identity_user_import_rows}
        (organization_id, import_id, number, status, user_id, role, read_position, read_event_id, errors)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const SET_ROW: &str = "
    UPDATE {identity_user_import_rows} SET status = $4, invitation_id = coalesce($5, invitation_id), errors = $6
    WHERE organization_id = $1 AND import_id = $2 AND number = $3";

/// What became of the row is counted on; whose it was is not told any more.
const FORGET: &str = "
    UPDATE {identity_user_import_rows}
    SET user_id = NULL, role = NULL, invitation_id = NULL, read_position = NULL, read_event_id = NULL
    WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. An import is rare, so each of its events is a statement of its own.
pub struct UserImports;

#[async_trait]
impl Projector for UserImports {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_user_imports", "identity_user_import_rows"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            apply(context, &delivered.event).await?;
        }
        forget(context, batch, Purpose::Profile, &[FORGET]).await
    }
}

const INTERESTS: &[&str] = &[
    "identity.import_uploaded",
    "identity.import_scanned",
    "identity.import_row_read",
    "identity.import_row_rejected",
    "identity.import_validated",
    "identity.import_previewed",
    "identity.import_confirmed",
    "identity.import_started",
    "identity.import_row_succeeded",
    "identity.import_row_failed",
    "identity.import_finished",
    "identity.import_rolled_back",
    "identity.import_row_rolled_back",
    "identity.import_cancelled",
    ERASED,
];

async fn apply(context: &mut ApplyContext<'_>, event: &RecordedEvent) -> Result<(), ApplyError> {
    let change = UserImportEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
    match (&change, change.status()) {
        (UserImportEvent::ImportUploaded(uploaded), _) => return insert(context, event, uploaded).await,
        (_, Some(status)) => set_status(context, event, status).await?,
        (_, None) => {}
    }
    match change {
        UserImportEvent::ImportConfirmed(confirmed) => {
            let sql = context.slot.sql(CONFIRM);
            let confirm = sqlx::query(&sql).bind(event.organization_id.0).bind(event.stream.id).bind(confirmed.confirmed_by.0);
            confirm.execute(&mut *context.tx).await?;
        }
        UserImportEvent::ImportStarted(started) => {
            let sql = context.slot.sql(START);
            let start = sqlx::query(&sql).bind(event.organization_id.0).bind(event.stream.id).bind(number(started.run)?);
            start.execute(&mut *context.tx).await?;
        }
        UserImportEvent::ImportRowRead(read) => row_read(context, event, &read).await?,
        UserImportEvent::ImportRowRejected(row) => row_rejected(context, event, row.row, &row.errors).await?,
        UserImportEvent::ImportRowSucceeded(row) => {
            set_row(context, event, (row.row, RowStatus::Invited), Some(row.invitation_id.0), None).await?;
        }
        UserImportEvent::ImportRowFailed(row) => {
            set_row(context, event, (row.row, RowStatus::Failed), None, Some(row.fault)).await?;
        }
        UserImportEvent::ImportRowRolledBack(row) => {
            let status = if row.revoked { RowStatus::Revoked } else { RowStatus::Kept };
            set_row(context, event, (row.row, status), None, None).await?;
        }
        _ => {}
    }
    Ok(())
}

async fn insert(context: &mut ApplyContext<'_>, event: &RecordedEvent, uploaded: &ImportUploaded) -> Result<(), ApplyError> {
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(event.organization_id.0)
        .bind(event.stream.id)
        .bind(ImportStatus::Uploaded.name())
        .bind(uploaded.mode.name())
        .bind(uploaded.uploaded_by.0)
        .bind(event.recorded_at)
        .bind(event.position)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn set_status(context: &mut ApplyContext<'_>, event: &RecordedEvent, status: ImportStatus) -> Result<(), ApplyError> {
    let sql = context.slot.sql(SET_STATUS);
    let update = sqlx::query(&sql).bind(event.organization_id.0).bind(event.stream.id).bind(status.name()).bind(event.recorded_at);
    update.execute(&mut *context.tx).await?;
    Ok(())
}

async fn row_read(context: &mut ApplyContext<'_>, event: &RecordedEvent, read: &ImportRowRead) -> Result<(), ApplyError> {
    let status = if read.exists { RowStatus::Existing } else { RowStatus::Ready };
    let sql = context.slot.sql(INSERT_ROW);
    sqlx::query(&sql)
        .bind(event.organization_id.0)
        .bind(event.stream.id)
        .bind(number(read.row)?)
        .bind(status.name())
        .bind(read.user_id.0)
        .bind(read.role.to_string())
        .bind(event.position)
        .bind(event.id.0)
        .bind(errors(&[])?)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn row_rejected(context: &mut ApplyContext<'_>, event: &RecordedEvent, row: u32, found: &[RowError]) -> Result<(), ApplyError> {
    let sql = context.slot.sql(INSERT_ROW);
    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(event.stream.id).bind(number(row)?);
    let insert = insert.bind(RowStatus::Rejected.name()).bind(None::<Uuid>).bind(None::<String>).bind(None::<i64>).bind(None::<Uuid>);
    insert.bind(errors(found)?).execute(&mut *context.tx).await?;
    Ok(())
}

async fn set_row(
    context: &mut ApplyContext<'_>,
    event: &RecordedEvent,
    (row, status): (u32, RowStatus),
    invitation: Option<Uuid>,
    fault: Option<RowFault>,
) -> Result<(), ApplyError> {
    let found: Vec<RowError> = fault.map(|fault| RowError::new(Column::Row, fault)).into_iter().collect();
    let sql = context.slot.sql(SET_ROW);
    let update = sqlx::query(&sql).bind(event.organization_id.0).bind(event.stream.id).bind(number(row)?).bind(status.name());
    update.bind(invitation).bind(errors(&found)?).execute(&mut *context.tx).await?;
    Ok(())
}

fn number(number: u32) -> Result<i32, ApplyError> {
    i32::try_from(number).map_err(|error| ApplyError::Invalid(error.to_string()))
}

fn errors(errors: &[RowError]) -> Result<serde_json::Value, ApplyError> {
    serde_json::to_value(errors).map_err(|error| ApplyError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_an_import_is_of_interest() {
        let all: Vec<_> = UserImportEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(INTERESTS, all);
    }
}
