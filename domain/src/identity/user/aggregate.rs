//! The rules of a user.

use super::{CreateUser, SuspendUser, UserCommand, UserCreated, UserError, UserEvent, UserResumed, UserSuspended};
use crate::{
    identity::Role,
    kernel::{
        Aggregate, Facts, OrganizationId, Personal, UserId,
        text::{is_label, is_prose},
    },
};
use serde::{Deserialize, Serialize};

const NAME_MAX_CHARS: usize = 200;

/// Where a user stands; the other states of B.1 join with their own issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    Active,
    Suspended,
}

/// What the rules need of a created user. The personal fields are carried by the events alone: no
/// rule reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub user_id: UserId,
    pub role: Role,
    pub status: UserStatus,
}

/// A user: nothing, until created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct User(Option<Profile>);

impl User {
    /// What is known of the user, once created.
    pub fn profile(&self) -> Option<&Profile> {
        self.0.as_ref()
    }

    /// Whether the user may act.
    pub fn is_active(&self) -> bool {
        self.0.as_ref().is_some_and(|profile| profile.status == UserStatus::Active)
    }

    fn create(&self, command: &CreateUser) -> Result<UserEvent, UserError> {
        if self.0.is_some() {
            return Err(UserError::AlreadyExists);
        }
        if !is_label(&command.external_ref, NAME_MAX_CHARS) {
            return Err(UserError::ExternalRefInvalid);
        }
        if command.display_name.as_deref().is_some_and(|name| !is_label(name, NAME_MAX_CHARS)) {
            return Err(UserError::DisplayNameInvalid);
        }
        if command.role == Role::PlatformAdmin && command.organization_id != OrganizationId::PLATFORM {
            return Err(UserError::PlatformRoleElsewhere);
        }
        Ok(UserCreated {
            user_id: command.user_id,
            external_ref: Personal::Clear(command.external_ref.clone()),
            display_name: command.display_name.clone().map(Personal::Clear),
            role: command.role,
        }
        .into())
    }

    fn suspend(&self, command: &SuspendUser) -> Result<UserEvent, UserError> {
        let profile = self.0.as_ref().ok_or(UserError::NotFound)?;
        if command.reason.as_ref().is_some_and(|reason| !is_prose(reason)) {
            return Err(UserError::ReasonInvalid);
        }
        match profile.status {
            UserStatus::Active => {
                Ok(UserSuspended { user_id: profile.user_id, reason: command.reason.clone().map(Personal::Clear) }.into())
            }
            UserStatus::Suspended => Err(UserError::AlreadySuspended),
        }
    }

    fn resume(&self) -> Result<UserEvent, UserError> {
        let profile = self.0.as_ref().ok_or(UserError::NotFound)?;
        match profile.status {
            UserStatus::Suspended => Ok(UserResumed { user_id: profile.user_id }.into()),
            UserStatus::Active => Err(UserError::NotSuspended),
        }
    }

    fn set_status(&mut self, status: UserStatus) {
        if let Some(profile) = &mut self.0 {
            profile.status = status;
        }
    }
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    const SHAPE: u16 = 1;

    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: &UserCommand, _facts: &Facts) -> Result<Vec<UserEvent>, UserError> {
        match command {
            UserCommand::Create(command) => self.create(command),
            UserCommand::Suspend(command) => self.suspend(command),
            UserCommand::Resume(_) => self.resume(),
        }
        .map(|event| vec![event])
    }

    fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::UserCreated(created) => {
                self.0 = Some(Profile { user_id: created.user_id, role: created.role, status: UserStatus::Active });
            }
            UserEvent::UserSuspended(_) => self.set_status(UserStatus::Suspended),
            UserEvent::UserResumed(_) => self.set_status(UserStatus::Active),
        }
    }
}
