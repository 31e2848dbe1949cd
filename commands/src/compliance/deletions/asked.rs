//! Deletions that are asked for: of whom, by whom, and by which procedure.

use super::{platform_decides, request_stream, subject_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::{LeavesOfficers, catalogue_stream, check_may_act_for, check_one_stays, officer_streams};
use palmares_domain::{
    compliance::deletion_request::{self, DeletionCommand, DeletionKind, DeletionRequest, DeletionStatus, DeletionSubject, ForcedGround},
    identity::{
        Role,
        user::{User, UserCommand, UserError},
    },
    kernel::{Admission, Aggregate, DeletionRequestId, OrganizationId, UserId},
    organizations::organization::{Organization, OrganizationCommand},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Needed beside the right to delete users, to ask that the organization go.
const DELETE_ORGANIZATION: &str = "organizations.organization.delete";

/// Asks that a user be deleted, or the whole organization: one of the two is said. Nothing happens before whoever
/// asks has shown a second factor and somebody else has approved it. What somebody else asked for and has not proven
/// gives way to it. The last compliance officer is not deleted, not at their own word either: somebody else has to be
/// one first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitDeletion {
    pub user_id: Option<UserId>,
    /// That the whole organization go, and no user.
    #[serde(default)]
    pub organization: bool,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// By the platform, against the person's will: two more people approve it.
    pub forced: Option<Forced>,
    /// Who else is a compliance officer, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub other_officers: Vec<UserId>,
}

impl LeavesOfficers for SubmitDeletion {
    fn user(&self) -> Option<UserId> {
        self.user_id
    }

    fn besides(self, other_officers: Vec<UserId>) -> Self {
        Self { other_officers, ..self }
    }
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

    /// A client whose variable is empty asks for nothing, least of all that everybody go.
    fn check_names_one(&self) -> Result<(), Refused> {
        match (self.user_id, self.organization) {
            (None, false) => Err(Refused::field("user_id", "compliance.deletion_subject_missing")),
            (Some(_), true) => Err(Refused::field("organization", "compliance.deletion_subjects_two")),
            _ => Ok(()),
        }
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
        let mut reads = officer_streams(admission, &self.other_officers);
        reads.extend([subject_stream(admission, self.subject(admission)), catalogue_stream(admission)]);
        reads
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        self.check_names_one()?;
        let subject = self.subject(unit.admission());
        match subject {
            DeletionSubject::User(user) => {
                unit.state::<User>(user)?.profile().ok_or(UserError::NotFound)?;
                check_may_act_for(unit, user)?;
                check_one_stays(unit, user, &self.other_officers)?;
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
