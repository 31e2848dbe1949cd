//! The rules of an organization.

use super::{
    CreateOrganization, OrganizationActivated, OrganizationCommand, OrganizationCreated, OrganizationDeletionCancelled,
    OrganizationDeletionRequested, OrganizationError, OrganizationEvent, OrganizationPurged, OrganizationRenamed, OrganizationResumed,
    OrganizationStatus, OrganizationSuspended, PaymentDueMarked, PaymentReceived, Settings, SettingsChange, SettingsChanged, SetupBegun,
    SetupExpired, SetupStep, SetupStepCompleted, SuspendOrganization, status,
};
use crate::{
    kernel::{
        Aggregate, Facts, OrganizationId, Personal, Transition,
        text::{is_label, is_prose},
    },
    organizations::Locale,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub const SLUG_MIN_CHARS: usize = 2;
/// A slug can be a label of a host name (RFC 1035).
pub const SLUG_MAX_CHARS: usize = 63;
const NAME_MAX_CHARS: usize = 200;

/// Slugs that would pass for the platform itself in an address.
const RESERVED_SLUGS: [&str; 18] = [
    "admin", "api", "app", "assets", "auth", "console", "docs", "health", "help", "login", "mail", "metrics", "palmares", "platform",
    "static", "status", "support", "www",
];

/// What is known of a created organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub organization_id: OrganizationId,
    pub name: String,
    pub slug: String,
    pub default_locale: Locale,
    pub status: OrganizationStatus,
    pub settings: Settings,
    /// Whether a set-up began that has not ended with an active organization.
    pub setup_open: bool,
    pub setup_steps: BTreeSet<SetupStep>,
    pub last_setup_step: Option<SetupStep>,
    /// What it was when its deletion was requested.
    pub before_deletion: Option<OrganizationStatus>,
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
        self.0.as_ref().is_some_and(|profile| profile.status.lets_people_act())
    }

    /// Its settings; where it is not there, those that every organization begins with.
    pub fn settings(&self) -> Settings {
        self.0.as_ref().map(|profile| profile.settings.clone()).unwrap_or_default()
    }

    fn known(&self) -> Result<&Profile, OrganizationError> {
        self.0.as_ref().ok_or(OrganizationError::NotFound)
    }

    /// The organization, where `transition` leads from where it stands (B.2).
    fn leaving_by(&self, transition: Transition<OrganizationStatus>) -> Result<OrganizationId, OrganizationError> {
        let profile = self.known()?;
        if profile.organization_id == OrganizationId::PLATFORM {
            return Err(OrganizationError::PlatformOrganization);
        }
        if !transition.leads_from(profile.status) {
            return Err(OrganizationError::TransitionForbidden { from: profile.status, to: transition.to });
        }
        Ok(profile.organization_id)
    }

    fn create(&self, command: &CreateOrganization) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        if self.0.is_some() {
            return Err(OrganizationError::AlreadyExists);
        }
        if !is_label(&command.name, NAME_MAX_CHARS) {
            return Err(OrganizationError::NameInvalid);
        }
        check_slug(&command.slug)?;
        let organization_id = command.organization_id;
        let created = OrganizationCreated {
            organization_id,
            name: command.name.clone(),
            slug: command.slug.clone(),
            default_locale: command.default_locale,
        };
        let begun = command.with_setup.then(|| SetupBegun { organization_id }.into());
        Ok([created.into()].into_iter().chain(begun).collect())
    }

    fn suspend(&self, command: &SuspendOrganization) -> Result<OrganizationEvent, OrganizationError> {
        let organization_id = self.leaving_by(status::SUSPEND)?;
        if command.reason.as_ref().is_some_and(|reason| !is_prose(reason)) {
            return Err(OrganizationError::ReasonInvalid);
        }
        Ok(OrganizationSuspended { organization_id, reason: command.reason.clone().map(Personal::Clear) }.into())
    }

    fn complete_step(&self, step: SetupStep) -> Result<OrganizationEvent, OrganizationError> {
        let profile = self.known()?;
        let goes_on = matches!(profile.status, OrganizationStatus::PendingSetup | OrganizationStatus::Suspended);
        if !(profile.setup_open && goes_on) || profile.setup_steps.contains(&step) {
            return Err(OrganizationError::NoSuchStep);
        }
        Ok(SetupStepCompleted { organization_id: profile.organization_id, step }.into())
    }

    fn activate(&self) -> Result<OrganizationEvent, OrganizationError> {
        let organization_id = self.leaving_by(status::ACTIVATE)?;
        self.check_setup()?;
        Ok(OrganizationActivated { organization_id }.into())
    }

    fn resume(&self) -> Result<OrganizationEvent, OrganizationError> {
        let organization_id = self.leaving_by(status::RESUME)?;
        self.check_setup()?;
        Ok(OrganizationResumed { organization_id }.into())
    }

    /// Nobody becomes active around a set-up that is not done (E-123).
    fn check_setup(&self) -> Result<(), OrganizationError> {
        let profile = self.known()?;
        let missing = SetupStep::ALL.into_iter().filter(|step| profile.setup_open && !profile.setup_steps.contains(step));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() { Ok(()) } else { Err(OrganizationError::SetupIncomplete(missing)) }
    }

    /// What is known of an organization that is not gone for good.
    fn lasting(&self) -> Result<&Profile, OrganizationError> {
        let profile = self.known()?;
        if profile.status.is_end() { Err(OrganizationError::Ended) } else { Ok(profile) }
    }

    fn rename(&self, name: &str) -> Result<Option<OrganizationEvent>, OrganizationError> {
        let profile = self.lasting()?;
        if !is_label(name, NAME_MAX_CHARS) {
            return Err(OrganizationError::NameInvalid);
        }
        let renamed = || OrganizationRenamed { organization_id: profile.organization_id, name: name.to_owned() }.into();
        Ok((profile.name != name).then(renamed))
    }

    fn change_settings(&self, change: &SettingsChange) -> Result<Option<OrganizationEvent>, OrganizationError> {
        let profile = self.lasting()?;
        let (set, reset) = change.of(&profile.settings)?;
        let changes = !(set == Settings::default() && reset.is_empty());
        Ok(changes.then(|| SettingsChanged { organization_id: profile.organization_id, set: Box::new(set), reset }.into()))
    }

    fn cancel_deletion(&self) -> Result<OrganizationEvent, OrganizationError> {
        let profile = self.known()?;
        let back = profile.before_deletion.ok_or(OrganizationError::NothingToCancel)?;
        Ok(OrganizationDeletionCancelled { organization_id: profile.organization_id, status: back }.into())
    }
}

impl Aggregate for Organization {
    const TYPE: &'static str = "organization";
    const SHAPE: u16 = 3;

    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;

    fn decide(&self, command: &OrganizationCommand, _facts: &Facts) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        Ok(vec![match command {
            OrganizationCommand::Create(command) => return self.create(command),
            OrganizationCommand::Rename(name) => return Ok(self.rename(name)?.into_iter().collect()),
            OrganizationCommand::ChangeSettings(change) => return Ok(self.change_settings(change)?.into_iter().collect()),
            OrganizationCommand::Suspend(command) => self.suspend(command)?,
            OrganizationCommand::Resume => self.resume()?,
            OrganizationCommand::CompleteSetupStep(step) => self.complete_step(*step)?,
            OrganizationCommand::Activate => self.activate()?,
            OrganizationCommand::Expire => SetupExpired { organization_id: self.leaving_by(status::EXPIRE)? }.into(),
            OrganizationCommand::MarkPaymentDue => PaymentDueMarked { organization_id: self.leaving_by(status::MARK_PAYMENT_DUE)? }.into(),
            OrganizationCommand::MarkPaid => PaymentReceived { organization_id: self.leaving_by(status::MARK_PAID)? }.into(),
            OrganizationCommand::RequestDeletion => {
                OrganizationDeletionRequested { organization_id: self.leaving_by(status::REQUEST_DELETION)? }.into()
            }
            OrganizationCommand::CancelDeletion => self.cancel_deletion()?,
            OrganizationCommand::Purge => OrganizationPurged { organization_id: self.leaving_by(status::PURGE)? }.into(),
        }])
    }

    fn evolve(&mut self, event: &OrganizationEvent) {
        if let OrganizationEvent::OrganizationCreated(created) = event {
            self.0 = Some(Profile {
                organization_id: created.organization_id,
                name: created.name.clone(),
                slug: created.slug.clone(),
                default_locale: created.default_locale,
                status: OrganizationStatus::Active,
                settings: Settings::default(),
                setup_open: false,
                setup_steps: BTreeSet::new(),
                last_setup_step: None,
                before_deletion: None,
            });
        }
        let Some(profile) = &mut self.0 else { return };
        match event {
            OrganizationEvent::SetupBegun(_) => profile.setup_open = true,
            OrganizationEvent::SetupStepCompleted(completed) => {
                profile.setup_steps.insert(completed.step);
                profile.last_setup_step = Some(completed.step);
            }
            OrganizationEvent::OrganizationActivated(_) | OrganizationEvent::OrganizationResumed(_) => profile.setup_open = false,
            OrganizationEvent::OrganizationRenamed(renamed) => profile.name.clone_from(&renamed.name),
            OrganizationEvent::SettingsChanged(changed) => profile.settings.change(&changed.set, &changed.reset),
            _ => {}
        }
        if let Some(status) = event.status() {
            profile.before_deletion = matches!(event, OrganizationEvent::OrganizationDeletionRequested(_)).then_some(profile.status);
            profile.status = status;
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
