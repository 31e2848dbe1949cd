//! How people sign up by themselves in an organization: what is configured, and what that asks of somebody.

use super::Email;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::signup_policy::{self, SignupHook, SignupPolicy},
    kernel::{Admission, Code, OrganizationId},
    organizations::{
        domain::{AutoJoin, Domain},
        organization::Settings,
    },
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    ConfigureSignup => permit "identity.signup_policy.configure", throttle Write;
}

pub(super) fn policy_stream(organization: OrganizationId) -> StreamRef {
    StreamRef::of::<SignupPolicy>(organization, organization)
}

/// Which hooks this deployment can ask for, beside those that it always can.
#[derive(Clone, Copy, Debug, Default)]
pub struct HooksOffered {
    pub captcha: bool,
    pub phone_verification: bool,
}

/// Says whether people may sign up by themselves, and what they have to pass, in which order. It holds for
/// those who sign up from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureSignup {
    pub organization_id: OrganizationId,
    pub open: bool,
    /// Each once; `captcha` and `domain_auto_join` before the others. Where `email_verification` is not
    /// among them, it is the last step. `phone_verification` is known and answered with
    /// `identity.phone_verification_not_enabled` where the deployment can send no codes.
    #[schema(max_items = 5)]
    pub hooks: Vec<SignupHook>,
    /// What the deployment can ask for, as its settings say.
    #[serde(skip)]
    #[schema(ignore)]
    pub offered: HooksOffered,
}

impl Operation for ConfigureSignup {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { organization_id, open, ref hooks, offered } = *self;
        if hooks.contains(&SignupHook::PhoneVerification) && !offered.phone_verification {
            return Err(Refused::field("hooks", "identity.phone_verification_not_enabled"));
        }
        if hooks.contains(&SignupHook::Captcha) && !offered.captcha {
            return Err(Refused::field("hooks", "identity.captcha_not_enabled"));
        }
        let configure = signup_policy::ConfigureSignup { organization_id, open, hooks: hooks.clone() };
        unit.run::<SignupPolicy>(organization_id, &configure)?;
        Ok(Answer::new("organization_id", organization_id, if open { "OPEN" } else { "CLOSED" }))
    }
}

/// What an organization asks of somebody who signs up with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignupRules {
    /// What has to be passed, in order.
    pub steps: Vec<SignupHook>,
    /// What the address shows by itself.
    pub shown: BTreeSet<SignupHook>,
}

/// The rules for an address. Where people of its domain join after somebody approved, somebody
/// has to, whatever else is configured.
///
/// # Errors
/// An organization in which nobody signs up, and an address with which nobody does there.
pub fn signup_rules(policy: &SignupPolicy, settings: &Settings, domain: &Domain, email: &Email) -> Result<SignupRules, Refused> {
    if !policy.is_open() {
        return Err(closed());
    }
    if !settings.allows_email(email.text()) {
        return Err(Refused::field("email", "identity.signup_domain_not_open"));
    }
    let (mut steps, mut shown) = (policy.steps(), BTreeSet::new());
    if steps.contains(&SignupHook::DomainAutoJoin) {
        let mode = if domain.is_verified() { domain.auto_join() } else { AutoJoin::Off };
        if mode == AutoJoin::Off {
            return Err(Refused::field("email", "identity.signup_domain_not_open"));
        }
        shown.insert(SignupHook::DomainAutoJoin);
        if mode == AutoJoin::Approval && !steps.contains(&SignupHook::AdminApproval) {
            steps.push(SignupHook::AdminApproval);
        }
    }
    Ok(SignupRules { steps, shown })
}

/// Nobody signs up here; an organization that is not there answers the same.
pub(super) fn closed() -> Refused {
    Refused::new(Code::Conflict, "identity.signup_closed", "nobody signs up here by themselves")
}
