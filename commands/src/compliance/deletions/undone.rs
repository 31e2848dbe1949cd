//! Deletions that are taken back before anything is gone, or undone afterwards.

use super::{CancelDeletion, RestoreDeletion, check_place, dossier, platform_decides, streams_of};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::deletion_request::{self, DeletionCommand, DeletionKind, DeletionRequest, DeletionStatus, DeletionSubject, Dossier},
    identity::user::{User, UserCommand},
    kernel::{Admission, DeletionRequestId, OrganizationId, UserId},
    organizations::organization::{Organization, OrganizationCommand},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// The subject may act again, where it could not any more.
pub(super) fn give_back(unit: &mut Unit<'_>, before: &Dossier) -> Result<(), Refused> {
    match (before.subject, before.stands()) {
        (DeletionSubject::User(user), DeletionStatus::InReview | DeletionStatus::Grace) => {
            unit.run::<User>(user, &UserCommand::CancelDeletion)?;
        }
        (DeletionSubject::Organization(organization), DeletionStatus::Grace) => {
            unit.run::<Organization>(organization, &OrganizationCommand::CancelDeletion)?;
        }
        _ => {}
    }
    Ok(())
}

/// Nobody takes back what others asked for about them: else a suspended user would be back by it.
fn cancel(
    unit: &mut Unit<'_>,
    request: DeletionRequestId,
    subject: Option<DeletionSubject>,
    reason: Option<&String>,
) -> Result<Answer, Refused> {
    let before = dossier(unit, request, subject)?;
    let actor = unit.admission().actor;
    if before.subject.user() == Some(actor) && before.requested_by != actor {
        return Err(platform_decides("whoever asked for it, or another administrator, takes it back"));
    }
    if before.kind == DeletionKind::Forced || before.stands() == DeletionStatus::Grace {
        let own = before.subject.user() == Some(actor);
        own.then_some(()).map_or_else(|| check_place(unit, &before), Ok)?;
    }
    let cancel = deletion_request::CancelDeletion { reason: reason.cloned() };
    unit.run::<DeletionRequest>(request, &DeletionCommand::Cancel(cancel))?;
    give_back(unit, &before)?;
    Ok(Answer::new("id", request, DeletionStatus::Cancelled.name()))
}

impl Operation for CancelDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, self.request_id, self.subject)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        cancel(unit, self.request_id, self.subject, self.reason.as_ref())
    }
}

/// Takes the request for a user's deletion back, within the grace period. Whoever takes back what a person asked for
/// themselves says why: the reason is on record, and the person is told by letter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelUserDeletion {
    pub user_id: UserId,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Operation for CancelUserDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, DeletionRequestId::of(self.user_id), Some(DeletionSubject::User(self.user_id)))
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (request, subject) = (DeletionRequestId::of(self.user_id), DeletionSubject::User(self.user_id));
        cancel(unit, request, Some(subject), self.reason.as_ref())
    }
}

/// Takes the request for an organization's deletion back: the organization is what it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrganizationDeletion {
    pub organization_id: OrganizationId,
}

impl Operation for CancelOrganizationDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let subject = DeletionSubject::Organization(self.organization_id);
        streams_of(admission, DeletionRequestId::of(self.organization_id), Some(subject))
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let subject = DeletionSubject::Organization(self.organization_id);
        cancel(unit, DeletionRequestId::of(self.organization_id), Some(subject), None)
    }
}

impl Operation for RestoreDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, self.request_id, self.subject)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let before = dossier(unit, self.request_id, self.subject)?;
        check_place(unit, &before)?;
        let restore = deletion_request::RestoreDeletion { reason: self.reason.clone() };
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Restore(restore))?;
        match before.subject {
            DeletionSubject::User(user) => unit.run::<User>(user, &UserCommand::Restore)?,
            DeletionSubject::Organization(organization) => unit.run::<Organization>(organization, &OrganizationCommand::CancelDeletion)?,
        };
        Ok(Answer::new("id", self.request_id, DeletionStatus::Restored.name()))
    }
}
