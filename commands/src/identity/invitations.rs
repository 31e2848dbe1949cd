//! Invitations: someone is asked to join, and becomes a user by accepting (5B, 5C).
//!
//! The invited user and the invitation are made in one append, and move in one append. The address
//! is claimed with the user and let go when the invitation is revoked.

use super::{Email, catalogue_stream, check_may_give, emails::set_email, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, Role, RoleRef,
        invitation::{self, Invitation, InvitationCommand, InvitationError, InvitationStatus, Terms},
        user::{self, User, UserCommand, UserStatus},
    },
    kernel::{Admission, Code, InvitationId, OrganizationId, UserId},
    organizations::organization::{Organization, OrganizationCommand, OrganizationStatus, Settings, SetupStep},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    InviteUser => permit "identity.invitation.create", throttle Write;
    ResendInvitation => permit "identity.invitation.resend", throttle Write;
    RevokeInvitation => permit "identity.invitation.revoke", throttle Write;
}

pub(super) fn invitation_stream(admission: &Admission, invitation: InvitationId) -> StreamRef {
    StreamRef::of::<Invitation>(admission.organization, invitation)
}

pub(super) fn organization_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<Organization>(admission.organization, admission.organization)
}

/// The settings of the organization, which the operation names among its streams.
pub(super) fn settings(unit: &mut Unit<'_>) -> Result<Settings, Refused> {
    let organization = unit.organization();
    Ok(unit.state::<Organization>(organization)?.settings())
}

/// Invites someone to the organization, by e-mail. A platform admin invites the first administrator
/// of a new organization in the same way (E-127).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteUser {
    /// The gate lets the request act in this organization, or not at all.
    pub organization_id: OrganizationId,
    /// Unique in the organization, whatever its letters' case.
    #[schema(value_type = String, max_length = 254)]
    pub email: Email,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: Option<String>,
    /// As long as the organization's settings say where it is missing.
    #[schema(minimum = 1, maximum = 720)]
    pub valid_for_hours: Option<u32>,
}

/// Sends an invitation again, under a new token: those sent before are no longer good.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendInvitation {
    pub invitation_id: InvitationId,
    /// As long as the organization's settings say where it is missing.
    #[schema(minimum = 1, maximum = 720)]
    pub valid_for_hours: Option<u32>,
    /// Looked up before the command is executed; nobody knows it once the person was erased.
    #[serde(skip)]
    #[schema(ignore)]
    pub email: Option<Email>,
}

/// Takes an invitation back; the address may be invited again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeInvitation {
    pub invitation_id: InvitationId,
    /// Looked up before the command is executed; nobody knows it once the person was erased.
    #[serde(skip)]
    #[schema(ignore)]
    pub email: Option<Email>,
}

/// A command for an invitation that needs to know where it was sent. The log keeps that sealed, so
/// it is read before the command is decided.
pub trait NeedsEmail {
    fn invitation(&self) -> InvitationId;
    fn resolve(&mut self, email: Email);
}

impl NeedsEmail for ResendInvitation {
    fn invitation(&self) -> InvitationId {
        self.invitation_id
    }
    fn resolve(&mut self, email: Email) {
        self.email = Some(email);
    }
}

impl NeedsEmail for RevokeInvitation {
    fn invitation(&self) -> InvitationId {
        self.invitation_id
    }
    fn resolve(&mut self, email: Email) {
        self.email = Some(email);
    }
}

impl InviteUser {
    fn ids(admission: &Admission) -> (InvitationId, UserId) {
        (InvitationId(new_id(admission, "invitation")), UserId(new_id(admission, "user")))
    }
}

impl Operation for InviteUser {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        streams_of(admission, Self::ids(admission), self.role)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        reads_of(admission)
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup()]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        let (invitation_id, user_id) = Self::ids(unit.admission());
        let Self { email, role, display_name, valid_for_hours, .. } = self;
        let invitee = Invitee { email, role: *role, display_name: display_name.as_ref(), valid_for_hours: *valid_for_hours };
        invite(unit, (invitation_id, user_id), invitee)?;
        Ok(Answer::new("id", invitation_id, InvitationStatus::Pending.name()).with("user_id", user_id.to_string()))
    }
}

/// Who is invited, as what.
pub(super) struct Invitee<'a> {
    pub email: &'a Email,
    pub role: RoleRef,
    pub display_name: Option<&'a String>,
    pub valid_for_hours: Option<u32>,
}

/// What an operation has to name that invites somebody, beside [`reads_of`].
pub(super) fn streams_of(admission: &Admission, (invitation, user): (InvitationId, UserId), role: RoleRef) -> Vec<StreamRef> {
    let mut streams = vec![invitation_stream(admission, invitation), user_stream(admission, user)];
    if is_administrator(role) {
        streams.push(organization_stream(admission));
    }
    streams
}

/// What an operation that invites somebody has to look at: the organization's roles and settings.
pub(super) fn reads_of(admission: &Admission) -> Vec<StreamRef> {
    vec![catalogue_stream(admission), organization_stream(admission)]
}

/// Whether inviting to this role may be the step that a new organization waits for.
fn is_administrator(role: RoleRef) -> bool {
    role == Role::OrganizationAdmin.into()
}

/// Makes the user and the invitation, and claims the address. The operation names it in
/// [`Operation::hashed`], and has checked that the role may be given.
pub(super) fn invite(unit: &mut Unit<'_>, (invitation_id, user_id): (InvitationId, UserId), invitee: Invitee<'_>) -> Result<(), Refused> {
    let Invitee { email, role, display_name, valid_for_hours } = invitee;
    let invite = UserCommand::Invite(user::InviteUser {
        user_id,
        organization_id: unit.organization(),
        email: email.text().to_owned(),
        display_name: display_name.cloned(),
        role,
    });
    unit.run::<User>(user_id, &invite)?;
    let settings = settings(unit)?;
    if !settings.allows_email(email.text()) {
        return Err(Refused::field("email", "identity.email_domain_not_allowed"));
    }
    let issue = invitation::IssueInvitation {
        invitation_id,
        user_id,
        email: email.text().to_owned(),
        role,
        valid_for_hours: valid_for_hours.or(Some(settings.invitation_valid_hours().into())),
    };
    unit.run::<Invitation>(invitation_id, &InvitationCommand::Issue(issue))?;
    set_email(unit, user_id, email, None)?;
    if is_administrator(role) {
        administrator_invited(unit)?;
    }
    Ok(())
}

/// Ticks the step of the set-up, where the organization is waiting for it (E-123).
fn administrator_invited(unit: &mut Unit<'_>) -> Result<(), Refused> {
    let organization = unit.organization();
    let waits = unit.state::<Organization>(organization)?.profile().is_some_and(|profile| {
        profile.status == OrganizationStatus::PendingSetup && !profile.setup_steps.contains(&SetupStep::AdministratorInvited)
    });
    if waits {
        unit.run::<Organization>(organization, &OrganizationCommand::CompleteSetupStep(SetupStep::AdministratorInvited))?;
    }
    Ok(())
}

/// The terms of an invitation that the operation named.
fn terms(unit: &mut Unit<'_>, invitation: InvitationId) -> Result<Terms, Refused> {
    unit.state::<Invitation>(invitation)?.terms().cloned().ok_or_else(|| InvitationError::NotFound.into())
}

impl Operation for ResendInvitation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![invitation_stream(admission, self.invitation_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission), organization_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let role = terms(unit, self.invitation_id)?.role;
        check_may_give(unit, role)?;
        let Some(email) = &self.email else {
            return Err(Refused::new(Code::Conflict, "identity.email_erased", "the address of the invited person was erased"));
        };
        let valid_for_hours = self.valid_for_hours.or(Some(settings(unit)?.invitation_valid_hours().into()));
        let reissue = invitation::ReissueInvitation { email: email.text().to_owned(), valid_for_hours };
        unit.run::<Invitation>(self.invitation_id, &InvitationCommand::Reissue(reissue))?;
        Ok(Answer::new("id", self.invitation_id, InvitationStatus::Pending.name()))
    }
}

impl Operation for RevokeInvitation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![invitation_stream(admission, self.invitation_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.email.iter().map(Email::lookup).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user = terms(unit, self.invitation_id)?.user_id;
        revoke(unit, self.invitation_id, user)?;
        Ok(Answer::new("id", self.invitation_id, InvitationStatus::Revoked.name()))
    }
}

/// Takes an invitation back, and lets go of the address where the operation named it in [`Operation::hashed`].
pub(super) fn revoke(unit: &mut Unit<'_>, invitation: InvitationId, user: UserId) -> Result<(), Refused> {
    unit.run::<Invitation>(invitation, &InvitationCommand::Revoke)?;
    if let Some(claim) = unit.hashed(EMAIL_LOOKUP).filter(|claim| unit.holder(*claim) == Some(user.0)) {
        unit.release(claim);
    }
    Ok(())
}

/// Records that the invited person said yes: their account is there, and waits for what is asked of
/// newcomers (E-144).
pub struct AcceptInvitation {
    pub invitation_id: InvitationId,
    /// Whom the invitation names.
    pub user_id: UserId,
    /// Which of the sent ones was used.
    pub generation: u32,
}

/// Records that the time of an invitation has run out, where it has.
pub struct ExpireInvitation {
    pub invitation_id: InvitationId,
}

/// Moves the invitation and the user whom it names.
fn move_both(
    unit: &mut Unit<'_>,
    (invitation, user): (InvitationId, UserId),
    commands: (&InvitationCommand, &UserCommand),
) -> Result<(), Refused> {
    if terms(unit, invitation)?.user_id != user {
        return Err(InvitationError::NotFound.into());
    }
    unit.run::<Invitation>(invitation, commands.0)?;
    unit.run::<User>(user, commands.1).map(drop)
}

impl Operation for AcceptInvitation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![invitation_stream(admission, self.invitation_id), user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let accept = InvitationCommand::Accept { generation: self.generation };
        move_both(unit, (self.invitation_id, self.user_id), (&accept, &UserCommand::BeginActivation))?;
        Ok(Answer::new("id", self.invitation_id, InvitationStatus::Accepted.name()).with("user_id", self.user_id.to_string()))
    }
}

/// Records that everything asked of the invited person is done: they may act from now on (E-145).
pub(super) fn complete(unit: &mut Unit<'_>, invitation: InvitationId, user: UserId) -> Result<(), Refused> {
    move_both(unit, (invitation, user), (&InvitationCommand::Complete, &UserCommand::Activate))
}

/// Refuses whoever has not accepted this invitation, or has done everything already.
pub(super) fn check_newcomer(unit: &mut Unit<'_>, invitation: InvitationId, user: UserId) -> Result<(), Refused> {
    let terms = terms(unit, invitation)?;
    let waits = unit.state::<User>(user)?.profile().is_some_and(|profile| profile.status == UserStatus::PendingActivation);
    if terms.user_id == user && terms.status == InvitationStatus::Accepted && waits {
        return Ok(());
    }
    Err(InvitationError::NotFound.into())
}

impl Operation for ExpireInvitation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![invitation_stream(admission, self.invitation_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let now = unit.facts().now;
        if unit.state::<Invitation>(self.invitation_id)?.is_due(now) {
            unit.run::<Invitation>(self.invitation_id, &InvitationCommand::Expire)?;
        }
        let status = unit.state::<Invitation>(self.invitation_id)?.terms().map_or("", |terms| terms.status.name());
        Ok(Answer::new("id", self.invitation_id, status))
    }
}

#[cfg(test)]
#[path = "invitations_tests.rs"]
mod tests;
