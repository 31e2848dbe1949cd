//! Deletions, as far as people move them: asked for, proven, reviewed, cancelled, undone (7A to 7E).

mod asked;
mod undone;

pub use asked::{RequestOrganizationDeletion, SubmitDeletion};
pub use undone::{CancelOrganizationDeletion, CancelUserDeletion};

use super::{holds_stream, request_stream, schedule_stream, subject_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{LeavesOfficers, check_one_is_left, check_one_stays, officer_streams};
use palmares_domain::{
    compliance::{
        deletion_request::{
            self, Checked, DeletionCommand, DeletionKind, DeletionRequest, DeletionStatus, DeletionSubject, Dossier, RefusalGround,
        },
        legal_holds::{LegalHolds, Span},
        retention_schedule::{RecordClass, RetentionSchedule},
    },
    identity::{
        credential::{Credential, CredentialAction, CredentialCommand},
        user::{User, UserCommand},
    },
    kernel::{Admission, Code, DeletionRequestId, OrganizationId, UserId},
    organizations::organization::{Organization, OrganizationCommand},
};
use serde::Deserialize;
use undone::give_back;
use utoipa::ToSchema;

/// Needed to be told which legal holds stop a deletion.
pub const SEE_HOLDS: &str = "compliance.legal_hold.read";

crate::capabilities! {
    SubmitDeletion => permit "identity.user.delete", throttle Write, owner |submit| submit.user_id;
    RequestOrganizationDeletion => permit "organizations.organization.delete", throttle Write;
    ApproveDeletion => permit "compliance.deletion_request.approve", throttle Write;
    RefuseDeletion => permit "compliance.deletion_request.refuse", throttle Write;
    CancelDeletion => permit "identity.user.cancel_deletion", throttle Write, owner |cancel| cancel.subject.and_then(DeletionSubject::user);
    CancelUserDeletion => permit "identity.user.cancel_deletion", throttle Write, owner |cancel| Some(cancel.user_id);
    CancelOrganizationDeletion => permit "organizations.organization.cancel_deletion", throttle Write;
    RestoreDeletion => permit "compliance.deletion_request.restore", throttle Write;
}

/// An operation on a request, which has to know whose it is before it names its streams.
pub trait ConcernsRequest {
    fn request(&self) -> DeletionRequestId;
    fn about(&mut self, subject: DeletionSubject);
}

fn platform_decides(detail: &'static str) -> Refused {
    Refused { attempt: true, ..Refused::new(Code::AccessDenied, "compliance.deletion_not_yours", detail) }
}

/// What is known of a request, which has to be there and about whom the operation was told.
fn dossier(unit: &mut Unit<'_>, request: DeletionRequestId, subject: Option<DeletionSubject>) -> Result<Dossier, Refused> {
    let found = unit.state::<DeletionRequest>(request)?.dossier().filter(|dossier| Some(dossier.subject) == subject);
    found.cloned().ok_or_else(|| deletion_request::DeletionError::NotFound.into())
}

/// Shows the second factor of whoever asked: the subject may no longer act from here on (A2).
pub struct VerifyDeletion {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    /// Where whoever asked has their account: of the platform's people not where they act.
    pub home: OrganizationId,
    /// What uses the code up.
    pub proof: CredentialAction,
    /// Who else is a compliance officer, as the read model knows.
    pub other_officers: Vec<UserId>,
}

impl LeavesOfficers for VerifyDeletion {
    fn user(&self) -> Option<UserId> {
        self.subject.user()
    }

    fn besides(self, other_officers: Vec<UserId>) -> Self {
        Self { other_officers, ..self }
    }
}

impl Operation for VerifyDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut streams = vec![request_stream(admission, self.request_id), StreamRef::of::<Credential>(self.home, admission.actor)];
        streams.extend(self.subject.user().map(|_| subject_stream(admission, self.subject)));
        streams
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        officer_streams(admission, &self.other_officers)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let dossier = dossier(unit, self.request_id, Some(self.subject))?;
        if let DeletionSubject::User(user) = dossier.subject {
            check_one_stays(unit, user, &self.other_officers)?;
        }
        let user_id = unit.admission().actor;
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Verify)?;
        unit.run::<Credential>(user_id, &CredentialCommand { user_id, action: self.proof.clone() })?;
        if let DeletionSubject::User(user) = dossier.subject {
            unit.run::<User>(user, &UserCommand::RequestDeletion)?;
        }
        Ok(Answer::new("id", self.request_id, DeletionStatus::InReview.name()))
    }
}

/// Declares operations on a request that a route names by its id.
macro_rules! on_request {
    ($($(#[$doc:meta])* $operation:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $operation {
            pub request_id: DeletionRequestId,
            $($(#[$field_doc])* pub $field: $ty,)*
            /// Looked up before the command is executed.
            #[serde(skip)]
            #[schema(ignore)]
            pub subject: Option<DeletionSubject>,
        }

        impl ConcernsRequest for $operation {
            fn request(&self) -> DeletionRequestId {
                self.request_id
            }

            fn about(&mut self, subject: DeletionSubject) {
                self.subject = Some(subject);
            }
        }
    )*};
}

on_request! {
    /// Agrees to a deletion that somebody else asked for; with the last approval its grace period begins. Where a
    /// legal hold is on its subject, it is held from there on, and the answer names the holds to whoever may see them.
    ApproveDeletion {
        /// Over which time something is recorded of the subject, looked up before the command is executed; where that
        /// is not known, every hold is on it.
        #[serde(skip)]
        #[schema(ignore)]
        footprint: Option<Span>,
        /// What has to be clear first, looked up before the command is executed.
        #[serde(skip)]
        #[schema(ignore)]
        checks: Vec<Checked>,
        /// Who else is a compliance officer, as the read model knows.
        #[serde(skip)]
        #[schema(ignore)]
        other_officers: Vec<UserId>
    }

    /// Refuses a deletion on a legal ground: the subject is there as before. Who asked for their own is told the ground by
    /// letter, and where they may complain.
    RefuseDeletion { ground: RefusalGround }

    /// Takes a deletion back, before anything is gone. Whoever takes back what a person asked for themselves says why: the
    /// reason is on record, and the person is told by letter.
    CancelDeletion {
        #[serde(default)]
        #[schema(max_length = 500)]
        reason: Option<String>
    }

    /// Undoes a soft deletion within its recovery window. Whoever undoes what a person asked for themselves says why: the
    /// reason is on record, and the person is told by letter.
    RestoreDeletion {
        #[serde(default)]
        #[schema(max_length = 500)]
        reason: Option<String>
    }
}

fn streams_of(admission: &Admission, request: DeletionRequestId, subject: Option<DeletionSubject>) -> Vec<StreamRef> {
    [request_stream(admission, request)].into_iter().chain(subject.map(|subject| subject_stream(admission, subject))).collect()
}

/// What the platform began, or what is about an organization, the platform decides.
fn check_place(unit: &Unit<'_>, dossier: &Dossier) -> Result<(), Refused> {
    let platforms = matches!(dossier.kind, DeletionKind::Forced | DeletionKind::Organization);
    if platforms && !unit.admission().rights.reach_everywhere() {
        return Err(platform_decides("the platform decides this deletion"));
    }
    Ok(())
}

impl LeavesOfficers for ApproveDeletion {
    fn user(&self) -> Option<UserId> {
        self.subject.and_then(DeletionSubject::user)
    }

    fn besides(self, other_officers: Vec<UserId>) -> Self {
        Self { other_officers, ..self }
    }
}

impl Operation for ApproveDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, self.request_id, self.subject)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut reads = officer_streams(admission, &self.other_officers);
        reads.extend([schedule_stream(admission), holds_stream(admission)]);
        reads
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let before = dossier(unit, self.request_id, self.subject)?;
        check_place(unit, &before)?;
        let organization = unit.organization();
        let holds = unit.state::<LegalHolds>(organization)?.on(before.subject, self.footprint.as_ref());
        let grace_days = unit.state::<RetentionSchedule>(organization)?.days(RecordClass::DeletionGrace);
        let approve = deletion_request::Approve { checks: self.checks.clone(), grace_days };
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Approve(approve))?;
        if let DeletionSubject::User(user) = before.subject {
            check_one_is_left(unit, user, &self.other_officers)?;
        }
        let after = dossier(unit, self.request_id, self.subject)?;
        if let (DeletionSubject::Organization(organization), DeletionStatus::Grace) = (after.subject, after.status) {
            unit.run::<Organization>(organization, &OrganizationCommand::RequestDeletion)?;
        }
        if after.status != DeletionStatus::Grace || holds.is_empty() {
            return Ok(Answer::new("id", self.request_id, after.status.name()));
        }
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::CheckHold { held: true })?;
        let held = Answer::new("id", self.request_id, DeletionStatus::Held.name());
        let ids: Vec<_> = holds.iter().map(ToString::to_string).collect();
        Ok(if unit.admission().rights.permit(SEE_HOLDS) { held.with("holds", ids) } else { held })
    }
}

impl Operation for RefuseDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, self.request_id, self.subject)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let before = dossier(unit, self.request_id, self.subject)?;
        check_place(unit, &before)?;
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Refuse(self.ground))?;
        give_back(unit, &before)?;
        Ok(Answer::new("id", self.request_id, DeletionStatus::Refused.name()))
    }
}
