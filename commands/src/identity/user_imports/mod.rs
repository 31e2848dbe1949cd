//! Imports of people: a table is uploaded and shown, confirmed, run row by row, and taken back if need be
//! (5D).
//!
//! Nothing but the import's own stream changes before it is confirmed. A row is run by the rule by which
//! one person is invited, in one append with the record that it succeeded; a row that is refused is
//! recorded as failed, and the rest goes on.

mod run;
mod table;
#[cfg(test)]
mod tests;

pub use run::{BeginImport, FailImportRow, FinishImport, InviteImportRow, RevokeImportRow};

use super::{
    catalogue_stream, check_covers,
    invitations::{reads_of, settings},
};
use crate::engine::{Answer, Engine, Operation, Refused, Rejection, StreamRef, Unit};
use crate::ids::new_id;
use futures::{StreamExt, TryStreamExt, stream};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, RoleRef, email_key,
        role_catalogue::RoleCatalogue,
        user_import::{
            Column, ImportMode, ImportStatus, RowError, RowFault, RowStatus, SubmittedRow, UserImport, UserImportCommand, UserImportError,
        },
    },
    kernel::{Admission, Code, ImportId, OrganizationId, UserId},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    UploadImport => permit "identity.user_import.upload", throttle Bulk;
    ConfirmImport => permit "identity.user_import.confirm", throttle Bulk;
    RetryImport => permit "identity.user_import.retry", throttle Bulk;
    RollBackImport => permit "identity.user_import.roll_back", throttle Bulk;
    CancelImport => permit "identity.user_import.cancel", throttle Write;
}

/// Addresses that are looked up at a time.
const LOOKUPS: usize = 16;

fn import_stream(admission: &Admission, import: ImportId) -> StreamRef {
    StreamRef::of::<UserImport>(admission.organization, import)
}

/// Uploads a table of people. Every row is checked and nobody is invited yet: the import says what would
/// happen, and waits until it is confirmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadImport {
    /// A table in CSV, at most 1 MiB and 2,000 rows. Its header names the columns `email`, `role` and,
    /// where there is one, `display_name`, in any order; a role is a built-in name or the id of one of the
    /// organization's own.
    #[schema(example = "email,display_name,role\nada@acme.example,Ada Lovelace,member")]
    pub csv: String,
    #[serde(default)]
    pub mode: ImportMode,
    /// Read and looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    rows: Option<Vec<Row>>,
}

/// A row as it was read, with what is known of its address.
type Row = Result<Looked, Vec<RowError>>;

#[derive(Clone)]
struct Looked {
    email: String,
    display_name: Option<String>,
    role: RoleRef,
    lookup: Uuid,
    holder: Option<UserId>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for UploadImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadImport").field("bytes", &self.csv.len()).finish_non_exhaustive()
    }
}

impl UploadImport {
    /// Reads the table and looks up who has which address.
    ///
    /// # Errors
    /// What is no table of people is refused as a whole.
    pub async fn read(&mut self, engine: &Engine, organization: OrganizationId) -> Result<(), Rejection> {
        let rows = table::read(&self.csv)?;
        let looked = stream::iter(rows).map(async |row| match row {
            Ok(values) => {
                let (lookup, holder) = engine.claim_of(organization, EMAIL_LOOKUP, &email_key(&values.email)).await?;
                let (email, display_name, role) = (values.email, values.display_name, values.role);
                Ok(Ok(Looked { email, display_name, role, lookup, holder: holder.map(UserId) }))
            }
            Err(errors) => Ok::<Row, Rejection>(Err(errors)),
        });
        self.rows = Some(looked.buffered(LOOKUPS).try_collect().await?);
        Ok(())
    }
}

impl Operation for UploadImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, ImportId(new_id(admission, "import")))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        reads_of(admission)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let rows = self.rows.as_ref();
        let rows = rows.ok_or_else(|| Refused::new(Code::InternalError, "import_not_read", "the table was not read"))?;
        let import_id = ImportId(new_id(unit.admission(), "import"));
        // The text is bounded, so both fit.
        let (size_bytes, count) = (self.csv.len() as u32, rows.len() as u32);
        let submitted = submitted(unit, rows)?;
        let steps = [
            UserImportCommand::Upload { import_id, mode: self.mode, size_bytes },
            UserImportCommand::Scan { rows: count },
            UserImportCommand::Validate(submitted),
            UserImportCommand::Preview,
        ];
        for step in steps {
            unit.run::<UserImport>(import_id, &step)?;
        }
        let import = unit.state::<UserImport>(import_id)?.import().cloned();
        let counted = |status| import.as_ref().map_or(0, |import| import.rows_that_are(status).count());
        Ok(Answer::new("id", import_id, ImportStatus::Previewed.name())
            .with("rows", count)
            .with("to_invite", counted(RowStatus::Ready))
            .with("existing", counted(RowStatus::Existing))
            .with("rejected", counted(RowStatus::Rejected)))
    }
}

/// The rows, those rejected whose role may not be given or whose address the organization does not take.
fn submitted(unit: &mut Unit<'_>, rows: &[Row]) -> Result<Vec<SubmittedRow>, Refused> {
    let mut faults: BTreeMap<RoleRef, Option<RowFault>> = BTreeMap::new();
    for role in rows.iter().flatten().map(|row| row.role) {
        if let Entry::Vacant(unseen) = faults.entry(role) {
            unseen.insert(role_fault(unit, role)?);
        }
    }
    let settings = settings(unit)?;
    let submit = |row: &Row| match row {
        Err(errors) => SubmittedRow::Faulty(errors.clone()),
        Ok(row) if !settings.allows_email(&row.email) => SubmittedRow::Faulty(vec![RowError::new(Column::Email, RowFault::EmailDomain)]),
        Ok(Looked { email, display_name, role, lookup, holder }) => match faults.get(role).copied().flatten() {
            Some(fault) => SubmittedRow::Faulty(vec![RowError::new(Column::Role, fault)]),
            None => SubmittedRow::Person {
                email: email.clone(),
                display_name: display_name.clone(),
                role: *role,
                lookup: *lookup,
                holder: *holder,
            },
        },
    };
    Ok(rows.iter().map(submit).collect())
}

/// Why the caller may not give this role in this organization.
fn role_fault(unit: &mut Unit<'_>, role: RoleRef) -> Result<Option<RowFault>, Refused> {
    let organization = unit.organization();
    let platform = role.built_in().is_some_and(palmares_domain::identity::Role::is_platform);
    if platform && organization != OrganizationId::PLATFORM {
        return Ok(Some(RowFault::PlatformRole));
    }
    let held = unit.state::<RoleCatalogue>(organization)?.held(role);
    Ok(match held {
        None => Some(RowFault::RoleUnknown),
        Some(held) if !unit.admission().rights.cover_role(&held) => Some(RowFault::RoleBeyondRights),
        Some(_) => None,
    })
}

/// Confirms an import: the people who can be invited are. Follow it where it is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmImport {
    pub import_id: ImportId,
}

/// Runs the rows again that failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryImport {
    pub import_id: ImportId,
}

/// Takes an import back of which some rows failed: its invitations are revoked where nobody has acted on
/// them yet, and their addresses may be invited again. One that is done stays done: an invitation of it is
/// revoked like any other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBackImport {
    pub import_id: ImportId,
}

/// Gives an import up before anything happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelImport {
    pub import_id: ImportId,
}

/// Moves the import, and says where it stands then.
fn step(unit: &mut Unit<'_>, import_id: ImportId, command: &UserImportCommand) -> Result<Answer, Refused> {
    unit.run::<UserImport>(import_id, command)?;
    let status = unit.state::<UserImport>(import_id)?.import().map_or("", |import| import.status.name());
    Ok(Answer::new("id", import_id, status))
}

/// Refuses to let an import run whose roles reach further than the caller's own rights, whoever uploaded
/// it (E-46). A role that was retired meanwhile fails row by row.
fn check_may_give_all(unit: &mut Unit<'_>, import_id: ImportId) -> Result<(), Refused> {
    let import = unit.state::<UserImport>(import_id)?.import().ok_or(UserImportError::NotFound)?;
    let roles = import.roles.clone();
    let organization = unit.organization();
    for role in roles {
        if let Some(held) = unit.state::<RoleCatalogue>(organization)?.held(role) {
            check_covers(unit, &held)?;
        }
    }
    Ok(())
}

impl Operation for ConfirmImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give_all(unit, self.import_id)?;
        step(unit, self.import_id, &UserImportCommand::Confirm)
    }
}

impl Operation for RetryImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give_all(unit, self.import_id)?;
        step(unit, self.import_id, &UserImportCommand::Retry)
    }
}

impl Operation for RollBackImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        step(unit, self.import_id, &UserImportCommand::RollBack)
    }
}

impl Operation for CancelImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        step(unit, self.import_id, &UserImportCommand::Cancel)
    }
}
