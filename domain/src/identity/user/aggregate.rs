//! The rules of a user.

use super::{
    CreateUser, EmailSet, InviteUser, PersonName, Preferences, RoleAssigned, RoleUnassigned, SetEmail, UserActivated, UserActivationBegun,
    UserCommand, UserCreated, UserDeactivated, UserDeletionCancelled, UserDeletionRequested, UserError, UserEvent, UserInvited, UserPurged,
    UserReactivated, UserReactivationApproved, UserRestored, UserResumed, UserSoftDeleted, UserStatus, UserSuspended,
    profile::NAME_MAX_CHARS, status,
};
use crate::{
    identity::RoleRef,
    kernel::{
        Aggregate, Facts, OrganizationId, Personal, Transition, UserId,
        text::{is_email, is_label, is_prose},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the rules need of a user. The personal fields are carried by the events alone: no rule
/// reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub user_id: UserId,
    pub roles: BTreeSet<RoleRef>,
    pub status: UserStatus,
    /// Where the user stood when their deletion was asked for, while it is under way.
    pub before_deletion: Option<UserStatus>,
    /// Who approved the return, while the user is deactivated.
    pub reactivation_approved_by: Option<UserId>,
    /// How many e-mail addresses were set so far. The last one is the user's, and stands sealed beside its event: a
    /// keyed hash of it here would outlive the erasure of the person, and be that of whoever has the address next.
    pub addresses: u32,
    /// The names that the user has.
    pub names: BTreeSet<PersonName>,
    pub preferences: Preferences,
}

/// A user: nothing, until created or invited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct User(Option<Profile>);

impl User {
    /// What is known of the user, once created or invited.
    pub fn profile(&self) -> Option<&Profile> {
        self.0.as_ref()
    }

    /// Whether the user may act.
    pub fn is_active(&self) -> bool {
        self.0.as_ref().is_some_and(|profile| profile.status == UserStatus::Active)
    }

    /// Whether the user may sign in, be it to do no more than to export and to cancel their deletion.
    pub fn may_sign_in(&self) -> bool {
        self.0.as_ref().is_some_and(|profile| profile.status.may_sign_in())
    }

    /// Whether the user has an e-mail address.
    pub fn has_address(&self) -> bool {
        self.0.as_ref().is_some_and(|profile| profile.addresses > 0)
    }

    fn known(&self) -> Result<&Profile, UserError> {
        self.0.as_ref().ok_or(UserError::NotFound)
    }

    /// The user, where `transition` leads from where they stand (B.1).
    fn leaving_by(&self, transition: Transition<UserStatus>) -> Result<&Profile, UserError> {
        let profile = self.known()?;
        if transition.leads_from(profile.status) {
            return Ok(profile);
        }
        Err(UserError::TransitionForbidden { from: profile.status, to: transition.to })
    }

    /// Who comes back from a deletion is active, by B.1; who was suspended or deactivated before is so again at
    /// once: asking for a deletion is no way around whoever lets them return.
    fn back(&self, returned: UserEvent) -> Vec<UserEvent> {
        let user_id = returned.user_id();
        let again = match self.0.as_ref().and_then(|profile| profile.before_deletion) {
            Some(UserStatus::Suspended) => Some(UserSuspended { user_id, reason: None }.into()),
            Some(UserStatus::Deactivated) => Some(UserDeactivated { user_id, reason: None }.into()),
            _ => None,
        };
        [returned].into_iter().chain(again).collect()
    }

    fn newcomer(&self, organization: OrganizationId, display_name: Option<&String>, role: RoleRef) -> Result<(), UserError> {
        if self.0.is_some() {
            return Err(UserError::AlreadyExists);
        }
        if display_name.is_some_and(|name| !is_label(name, NAME_MAX_CHARS)) {
            return Err(UserError::DisplayNameInvalid);
        }
        check_place_of(role, organization)
    }

    fn create(&self, command: &CreateUser) -> Result<Vec<UserEvent>, UserError> {
        self.newcomer(command.organization_id, command.display_name.as_ref(), command.role)?;
        if !is_label(&command.external_ref, NAME_MAX_CHARS) {
            return Err(UserError::ExternalRefInvalid);
        }
        let user_id = command.user_id;
        let (role, further) = match command.role {
            RoleRef::BuiltIn(role) => (role, None),
            custom => (crate::identity::Role::Member, Some(custom)),
        };
        let created = UserCreated {
            user_id,
            external_ref: Personal::Clear(command.external_ref.clone()),
            display_name: command.display_name.clone().map(Personal::Clear),
            role,
        };
        let assigned = further.map(|role| RoleAssigned { user_id, role }.into());
        Ok([created.into()].into_iter().chain(assigned).collect())
    }

    fn invite(&self, command: &InviteUser) -> Result<UserEvent, UserError> {
        self.newcomer(command.organization_id, command.display_name.as_ref(), command.role)?;
        if !is_email(&command.email) {
            return Err(UserError::EmailInvalid);
        }
        Ok(UserInvited {
            user_id: command.user_id,
            email: Personal::Clear(command.email.clone()),
            display_name: command.display_name.clone().map(Personal::Clear),
            role: command.role,
        }
        .into())
    }

    fn approve_reactivation(&self, approver: UserId) -> Result<UserEvent, UserError> {
        let profile = self.known()?;
        let open = profile.status == UserStatus::Deactivated && profile.reactivation_approved_by.is_none();
        // Nobody approves their own return.
        if !open || approver == profile.user_id {
            return Err(UserError::NothingToApprove);
        }
        Ok(UserReactivationApproved { user_id: profile.user_id, approved_by: approver }.into())
    }

    fn reactivate(&self, actor: UserId) -> Result<UserEvent, UserError> {
        let profile = self.leaving_by(status::REACTIVATE)?;
        let approver = profile.reactivation_approved_by.filter(|approver| *approver != actor).ok_or(UserError::ApprovalMissing)?;
        Ok(UserReactivated { user_id: profile.user_id, approved_by: approver }.into())
    }

    fn set_email(&self, set: &SetEmail) -> Result<UserEvent, UserError> {
        let profile = self.not_deleted()?;
        if !is_email(&set.email) {
            return Err(UserError::EmailInvalid);
        }
        Ok(EmailSet { user_id: profile.user_id, email: Personal::Clear(set.email.clone()) }.into())
    }

    fn assign(&self, role: RoleRef, organization: OrganizationId) -> Result<UserEvent, UserError> {
        let profile = self.not_deleted()?;
        check_place_of(role, organization)?;
        if profile.roles.contains(&role) {
            return Err(UserError::RoleAlreadyAssigned);
        }
        Ok(RoleAssigned { user_id: profile.user_id, role }.into())
    }

    fn unassign(&self, role: RoleRef) -> Result<UserEvent, UserError> {
        let profile = self.not_deleted()?;
        if !profile.roles.contains(&role) {
            return Err(UserError::RoleNotAssigned);
        }
        Ok(RoleUnassigned { user_id: profile.user_id, role }.into())
    }

    fn not_deleted(&self) -> Result<&Profile, UserError> {
        let profile = self.known()?;
        match profile.status {
            UserStatus::DeletionRequested | UserStatus::SoftDeleted | UserStatus::Purged => Err(UserError::Deleted),
            _ => Ok(profile),
        }
    }
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    const SHAPE: u16 = 6;

    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: &UserCommand, facts: &Facts) -> Result<Vec<UserEvent>, UserError> {
        let by = |transition| self.leaving_by(transition).map(|profile| profile.user_id);
        Ok(vec![match command {
            UserCommand::Create(command) => return self.create(command),
            UserCommand::Invite(command) => self.invite(command)?,
            UserCommand::BeginActivation => UserActivationBegun { user_id: by(status::BEGIN_ACTIVATION)? }.into(),
            UserCommand::Activate => UserActivated { user_id: by(status::ACTIVATE)? }.into(),
            UserCommand::Suspend(command) => {
                UserSuspended { user_id: by(status::SUSPEND)?, reason: sealed_reason(command.reason.as_ref())? }.into()
            }
            UserCommand::Resume => UserResumed { user_id: by(status::RESUME)? }.into(),
            UserCommand::Deactivate(command) => {
                UserDeactivated { user_id: by(status::DEACTIVATE)?, reason: sealed_reason(command.reason.as_ref())? }.into()
            }
            UserCommand::ApproveReactivation => self.approve_reactivation(facts.actor)?,
            UserCommand::Reactivate => self.reactivate(facts.actor)?,
            UserCommand::RequestDeletion => UserDeletionRequested { user_id: by(status::REQUEST_DELETION)? }.into(),
            UserCommand::CancelDeletion => return Ok(self.back(UserDeletionCancelled { user_id: by(status::CANCEL_DELETION)? }.into())),
            UserCommand::SoftDelete => UserSoftDeleted { user_id: by(status::SOFT_DELETE)? }.into(),
            UserCommand::Restore => return Ok(self.back(UserRestored { user_id: by(status::RESTORE)? }.into())),
            UserCommand::Purge => UserPurged { user_id: by(status::PURGE)? }.into(),
            UserCommand::AssignRole { role, organization_id } => self.assign(*role, *organization_id)?,
            UserCommand::UnassignRole(role) => self.unassign(*role)?,
            UserCommand::SetEmail(set) => self.set_email(set)?,
            UserCommand::ChangeProfile(change) => {
                let profile = self.not_deleted()?;
                return change.of(profile.user_id, &profile.names, &profile.preferences);
            }
        }])
    }

    fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::UserCreated(created) => {
                self.0 = Some(joined(created.user_id, created.role.into(), UserStatus::Active, created.display_name.is_some()));
            }
            UserEvent::UserInvited(invited) => {
                self.0 = Some(joined(invited.user_id, invited.role, UserStatus::Invited, invited.display_name.is_some()));
            }
            _ => {}
        }
        let Some(profile) = &mut self.0 else { return };
        if let Some(status) = event.status() {
            profile.before_deletion = match event {
                UserEvent::UserDeletionRequested(_) => Some(profile.status),
                UserEvent::UserSoftDeleted(_) => profile.before_deletion,
                _ => None,
            };
            profile.status = status;
            profile.reactivation_approved_by = None;
        }
        match event {
            UserEvent::UserReactivationApproved(approved) => profile.reactivation_approved_by = Some(approved.approved_by),
            UserEvent::RoleAssigned(assigned) => {
                profile.roles.insert(assigned.role);
            }
            UserEvent::RoleUnassigned(unassigned) => {
                profile.roles.remove(&unassigned.role);
            }
            UserEvent::EmailSet(_) => profile.addresses = profile.addresses.saturating_add(1),
            UserEvent::ProfileChanged(changed) => changed.apply(&mut profile.names),
            UserEvent::PreferencesChanged(changed) => profile.preferences.change(changed),
            _ => {}
        }
    }
}

fn joined(user_id: UserId, role: RoleRef, status: UserStatus, has_name: bool) -> Profile {
    Profile {
        user_id,
        roles: BTreeSet::from([role]),
        status,
        before_deletion: None,
        reactivation_approved_by: None,
        addresses: 0,
        names: has_name.then_some(PersonName::DisplayName).into_iter().collect(),
        preferences: Preferences::default(),
    }
}

fn check_place_of(role: RoleRef, organization: OrganizationId) -> Result<(), UserError> {
    let platform = role.built_in().is_some_and(crate::identity::Role::is_platform);
    if platform && organization != OrganizationId::PLATFORM { Err(UserError::PlatformRoleElsewhere) } else { Ok(()) }
}

fn sealed_reason(reason: Option<&String>) -> Result<Option<Personal<String>>, UserError> {
    match reason {
        Some(reason) if !is_prose(reason) => Err(UserError::ReasonInvalid),
        reason => Ok(reason.cloned().map(Personal::Clear)),
    }
}
