//! A run of an import: what the platform does, row by row, once it was confirmed or rolled back.
//!
//! Each operation may be repeated: what is done already is left as it is.

use super::{import_stream, step};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{
    Email,
    invitations::{Invitee, invitation_stream, invite, reads_of, revoke, streams_of},
};
use palmares_domain::{
    identity::{
        RoleRef,
        invitation::{Invitation, InvitationStatus},
        role_catalogue::RoleCatalogue,
        user_import::{RowFault, RowStatus, UserImport, UserImportCommand, UserImportError, invitation_of_row, user_of_row},
    },
    kernel::{Admission, ImportId, InvitationId, UserId},
};

/// Starts the first run of a confirmed import.
pub struct BeginImport {
    pub import_id: ImportId,
}

/// Invites the person of a row, as [`super::super::InviteUser`] would: in the name of whoever let the
/// import run, whose rights were checked then.
pub struct InviteImportRow {
    pub import_id: ImportId,
    pub row: u32,
    pub email: Email,
    pub display_name: Option<String>,
    pub role: RoleRef,
}

/// Records that a row failed.
pub struct FailImportRow {
    pub import_id: ImportId,
    pub row: u32,
    pub fault: RowFault,
}

/// Ends a run of which every row was run.
pub struct FinishImport {
    pub import_id: ImportId,
}

/// Revokes the invitation of a row of an import that was rolled back, where nobody has acted on it.
pub struct RevokeImportRow {
    pub import_id: ImportId,
    pub row: u32,
    /// Nobody knows it once the person was erased.
    pub email: Option<Email>,
}

/// What became of a row so far.
fn status_of(unit: &mut Unit<'_>, import: ImportId, row: u32) -> Result<RowStatus, Refused> {
    let found = unit.state::<UserImport>(import)?.import().and_then(|import| import.row(row));
    found.ok_or_else(|| UserImportError::RowNotOpen.into())
}

/// The invitation and the user of a row.
fn made_by(import: ImportId, row: u32) -> (InvitationId, UserId) {
    (invitation_of_row(import, row), user_of_row(import, row))
}

fn answer(import: ImportId, status: RowStatus) -> Answer {
    Answer::new("id", import, status.name())
}

impl Operation for BeginImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        step(unit, self.import_id, &UserImportCommand::Begin)
    }
}

impl Operation for InviteImportRow {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut streams = vec![import_stream(admission, self.import_id)];
        streams.extend(streams_of(admission, made_by(self.import_id, self.row), self.role));
        streams
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        reads_of(admission)
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup()]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { import_id, row, email, display_name, role } = self;
        if status_of(unit, *import_id, *row)? == RowStatus::Invited {
            return Ok(answer(*import_id, RowStatus::Invited));
        }
        let organization = unit.organization();
        if unit.state::<RoleCatalogue>(organization)?.held(*role).is_none() {
            return Err(Refused::field("role", "identity.role_not_found"));
        }
        // First, so that a row whose turn it is not refuses before anybody is invited.
        unit.run::<UserImport>(*import_id, &UserImportCommand::SucceedRow { row: *row })?;
        let invitee = Invitee { email, role: *role, display_name: display_name.as_ref(), valid_for_hours: None };
        invite(unit, made_by(*import_id, *row), invitee)?;
        Ok(answer(*import_id, RowStatus::Invited))
    }
}

impl Operation for FailImportRow {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<UserImport>(self.import_id, &UserImportCommand::FailRow { row: self.row, fault: self.fault })?;
        Ok(answer(self.import_id, RowStatus::Failed))
    }
}

impl Operation for FinishImport {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![import_stream(admission, self.import_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        step(unit, self.import_id, &UserImportCommand::Finish)
    }
}

impl Operation for RevokeImportRow {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let (invitation, _) = made_by(self.import_id, self.row);
        vec![import_stream(admission, self.import_id), invitation_stream(admission, invitation)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.email.iter().map(Email::lookup).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { import_id, row, .. } = *self;
        let before = status_of(unit, import_id, row)?;
        if matches!(before, RowStatus::Revoked | RowStatus::Kept) {
            return Ok(answer(import_id, before));
        }
        let (invitation, user) = made_by(import_id, row);
        let terms = unit.state::<Invitation>(invitation)?.terms();
        let revoked = terms.is_some_and(|terms| terms.status == InvitationStatus::Pending);
        unit.run::<UserImport>(import_id, &UserImportCommand::RollBackRow { row, revoked })?;
        if revoked {
            revoke(unit, invitation, user)?;
        }
        Ok(answer(import_id, if revoked { RowStatus::Revoked } else { RowStatus::Kept }))
    }
}
