//! Deletions, as far as people move them: asked for, proven, reviewed, cancelled, undone (7A to 7E).

mod undone;

pub use undone::{CancelOrganizationDeletion, CancelUserDeletion};

use super::{holds_stream, request_stream, schedule_stream, subject_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{catalogue_stream, check_may_act_for};
use palmares_domain::{
    compliance::{
        deletion_request::{
            self, Checked, DeletionCommand, DeletionKind, DeletionRequest, DeletionStatus, DeletionSubject, Dossier, ForcedGround,
            RefusalGround,
        },
        legal_holds::{LegalHolds, Span},
        retention_schedule::{RecordClass, RetentionSchedule},
    },
    identity::{
        Role,
        credential::{Credential, CredentialAction, CredentialCommand},
        user::{User, UserCommand, UserError},
    },
    kernel::{Admission, Aggregate, Code, DeletionRequestId, OrganizationId, UserId},
    organizations::organization::{Organization, OrganizationCommand},
};
use serde::Deserialize;
use undone::give_back;
use utoipa::ToSchema;

/// Needed beside the right to delete users, to ask that the organization go.
const DELETE_ORGANIZATION: &str = "organizations.organization.delete";

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

/// Asks that a user be deleted, or, where none is named, the organization. Nothing happens before whoever
/// asks has shown a second factor and somebody else has approved it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitDeletion {
    pub user_id: Option<UserId>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// By the platform, against the person's will: two more people approve it.
    pub forced: Option<Forced>,
}

/// Why somebody is deleted against their will.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    pub ground: ForcedGround,
    /// How the incident is known elsewhere.
    #[schema(min_length = 1, max_length = 64)]
    pub incident: String,
}

impl SubmitDeletion {
    fn subject(&self, admission: &Admission) -> DeletionSubject {
        self.user_id.map_or(DeletionSubject::Organization(admission.organization), DeletionSubject::User)
    }

    /// The procedure that follows from whom it is about and who asks.
    fn kind(&self, unit: &mut Unit<'_>) -> Result<DeletionKind, Refused> {
        let Some(user) = self.user_id else { return Ok(DeletionKind::Organization) };
        if self.forced.is_some() {
            return Ok(DeletionKind::Forced);
        }
        let actor = unit.admission().actor;
        let is_expert = unit.state::<User>(user)?.profile().is_some_and(|profile| profile.roles.contains(&Role::Expert.into()));
        Ok(match () {
            () if is_expert => DeletionKind::Expert,
            () if actor == user => DeletionKind::OwnAccount,
            () => DeletionKind::ByAdmin,
        })
    }
}

impl Operation for SubmitDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, DeletionRequestId::of(self.subject(admission).id()))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![subject_stream(admission, self.subject(admission)), catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let subject = self.subject(unit.admission());
        match subject {
            DeletionSubject::User(user) => {
                unit.state::<User>(user)?.profile().ok_or(UserError::NotFound)?;
                check_may_act_for(unit, user)?;
            }
            DeletionSubject::Organization(_) if !unit.admission().rights.permit(DELETE_ORGANIZATION) => {
                return Err(platform_decides("deleting an organization is not yours to ask"));
            }
            DeletionSubject::Organization(_) => {}
        }
        if self.forced.is_some() && (self.user_id.is_none() || !unit.admission().rights.reach_everywhere()) {
            return Err(platform_decides("only the platform deletes somebody against their will"));
        }
        let kind = self.kind(unit)?;
        submit(unit, subject, kind, self.reason.clone(), self.forced.clone())
    }
}

/// Asks that an organization be deleted: the platform reviews it, and nothing is gone yet (7D, A18).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestOrganizationDeletion {
    pub organization_id: OrganizationId,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Operation for RequestOrganizationDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, DeletionRequestId::of(self.organization_id))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![subject_stream(admission, DeletionSubject::Organization(self.organization_id))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        submit(unit, DeletionSubject::Organization(self.organization_id), DeletionKind::Organization, self.reason.clone(), None)
    }
}

/// Records the wish, where its subject could go at all.
fn submit(
    unit: &mut Unit<'_>,
    subject: DeletionSubject,
    kind: DeletionKind,
    reason: Option<String>,
    forced: Option<Forced>,
) -> Result<Answer, Refused> {
    let request_id = DeletionRequestId::of(subject.id());
    let (ground, incident) = forced.map(|forced| (forced.ground, forced.incident)).unzip();
    let submit = deletion_request::SubmitDeletion { request_id, subject, kind, ground, incident, reason };
    unit.run::<DeletionRequest>(request_id, &DeletionCommand::Submit(submit))?;
    let facts = *unit.facts();
    match subject {
        DeletionSubject::User(user) => unit.state::<User>(user)?.decide(&UserCommand::RequestDeletion, &facts).map(drop)?,
        DeletionSubject::Organization(organization) => {
            unit.state::<Organization>(organization)?.decide(&OrganizationCommand::RequestDeletion, &facts).map(drop)?;
        }
    }
    Ok(Answer::new("id", request_id, DeletionStatus::Submitted.name()))
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
}

impl Operation for VerifyDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut streams = vec![request_stream(admission, self.request_id), StreamRef::of::<Credential>(self.home, admission.actor)];
        streams.extend(self.subject.user().map(|_| subject_stream(admission, self.subject)));
        streams
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let dossier = dossier(unit, self.request_id, Some(self.subject))?;
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
        checks: Vec<Checked>
    }

    /// Refuses a deletion on a legal ground: the subject is there as before.
    RefuseDeletion { ground: RefusalGround }

    /// Takes a deletion back, before anything is gone.
    CancelDeletion {}

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

impl Operation for ApproveDeletion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, self.request_id, self.subject)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![schedule_stream(admission), holds_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let before = dossier(unit, self.request_id, self.subject)?;
        check_place(unit, &before)?;
        let organization = unit.organization();
        let holds = unit.state::<LegalHolds>(organization)?.on(before.subject, self.footprint.as_ref());
        let grace_days = unit.state::<RetentionSchedule>(organization)?.days(RecordClass::DeletionGrace);
        let approve = deletion_request::Approve { checks: self.checks.clone(), grace_days };
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Approve(approve))?;
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
