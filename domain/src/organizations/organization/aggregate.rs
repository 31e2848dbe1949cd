//! The rules of an organization.

use super::{
    CreateOrganization, OrganizationCommand, OrganizationCreated, OrganizationError, OrganizationEvent, OrganizationResumed,
    OrganizationSuspended, SuspendOrganization,
};
use crate::{
    kernel::{
        Aggregate, Facts, OrganizationId,
        text::{is_label, is_prose},
    },
    organizations::Locale,
};
use serde::{Deserialize, Serialize};

pub const SLUG_MIN_CHARS: usize = 2;
/// A slug can be a label of a host name (RFC 1035).
pub const SLUG_MAX_CHARS: usize = 63;
const NAME_MAX_CHARS: usize = 200;

/// Slugs that would pass for the platform itself in an address.
const RESERVED_SLUGS: [&str; 18] = [
    "admin", "api", "app", "assets", "auth", "console", "docs", "health", "help", "login", "mail", "metrics", "palmares", "platform",
    "static", "status", "support", "www",
];

/// Where an organization stands; the other states of B.2 join with their own issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationStatus {
    Active,
    Suspended,
}

/// What is known of a created organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub organization_id: OrganizationId,
    pub name: String,
    pub slug: String,
    pub default_locale: Locale,
    pub status: OrganizationStatus,
}

/// An organization: nothing, until it is created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Organization(Option<Profile>);

impl Organization {
    /// What is known of it, once created.
    pub fn profile(&self) -> Option<&Profile> {
        self.0.as_ref()
    }

    /// Whether its people may act.
    pub fn is_active(&self) -> bool {
        self.0.as_ref().is_some_and(|profile| profile.status == OrganizationStatus::Active)
    }

    fn create(&self, command: &CreateOrganization) -> Result<OrganizationEvent, OrganizationError> {
        if self.0.is_some() {
            return Err(OrganizationError::AlreadyExists);
        }
        if !is_label(&command.name, NAME_MAX_CHARS) {
            return Err(OrganizationError::NameInvalid);
        }
        check_slug(&command.slug)?;
        Ok(OrganizationCreated {
            organization_id: command.organization_id,
            name: command.name.clone(),
            slug: command.slug.clone(),
            default_locale: command.default_locale,
        }
        .into())
    }

    fn suspend(&self, command: &SuspendOrganization) -> Result<OrganizationEvent, OrganizationError> {
        let profile = self.0.as_ref().ok_or(OrganizationError::NotFound)?;
        if profile.organization_id == OrganizationId::PLATFORM {
            return Err(OrganizationError::PlatformOrganization);
        }
        if command.reason.as_ref().is_some_and(|reason| !is_prose(reason)) {
            return Err(OrganizationError::ReasonInvalid);
        }
        match profile.status {
            OrganizationStatus::Active => {
                Ok(OrganizationSuspended { organization_id: profile.organization_id, reason: command.reason.clone() }.into())
            }
            OrganizationStatus::Suspended => Err(OrganizationError::AlreadySuspended),
        }
    }

    fn resume(&self) -> Result<OrganizationEvent, OrganizationError> {
        let profile = self.0.as_ref().ok_or(OrganizationError::NotFound)?;
        match profile.status {
            OrganizationStatus::Suspended => Ok(OrganizationResumed { organization_id: profile.organization_id }.into()),
            OrganizationStatus::Active => Err(OrganizationError::NotSuspended),
        }
    }

    fn set_status(&mut self, status: OrganizationStatus) {
        if let Some(profile) = &mut self.0 {
            profile.status = status;
        }
    }
}

impl Aggregate for Organization {
    const TYPE: &'static str = "organization";
    const SHAPE: u16 = 1;

    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;

    fn decide(&self, command: &OrganizationCommand, _facts: &Facts) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match command {
            OrganizationCommand::Create(command) => self.create(command),
            OrganizationCommand::Suspend(command) => self.suspend(command),
            OrganizationCommand::Resume(_) => self.resume(),
        }
        .map(|event| vec![event])
    }

    fn evolve(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::OrganizationCreated(created) => {
                self.0 = Some(Profile {
                    organization_id: created.organization_id,
                    name: created.name.clone(),
                    slug: created.slug.clone(),
                    default_locale: created.default_locale,
                    status: OrganizationStatus::Active,
                });
            }
            OrganizationEvent::OrganizationSuspended(_) => self.set_status(OrganizationStatus::Suspended),
            OrganizationEvent::OrganizationResumed(_) => self.set_status(OrganizationStatus::Active),
        }
    }
}

/// `[a-z0-9](-?[a-z0-9])*`, 2 to 63 characters, and not reserved.
fn check_slug(slug: &str) -> Result<(), OrganizationError> {
    let fits = (SLUG_MIN_CHARS..=SLUG_MAX_CHARS).contains(&slug.len())
        && slug.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    if !fits {
        return Err(OrganizationError::SlugInvalid);
    }
    if RESERVED_SLUGS.contains(&slug) {
        return Err(OrganizationError::SlugReserved);
    }
    Ok(())
}
