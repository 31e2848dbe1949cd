//! What somebody holds between two steps of signing in: a signed text, good for minutes and for one step.

use super::{entrance::Device, meant::Meant};
use crate::{
    pipeline::{TokenKeys, keys::KeyFault},
    problem::Problem,
};
use chrono::Duration;
use palmares_commands::identity::{Entrant, Switched};
use palmares_domain::{
    identity::{credential::PassKind, sessions::SignInMethod},
    kernel::{Code, InvitationId, OrganizationId, PassId, UserId},
};
use serde::{Deserialize, Serialize};

const GOOD_FOR: Duration = Duration::minutes(10);

/// The step that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Prove a second factor.
    SecondFactor,
    /// Enrol a second factor, which is required and missing.
    Enrolment,
    /// Set a password in place of a temporary one, or the first one after an invitation.
    Password,
}

impl Step {
    fn purpose(self) -> &'static str {
        match self {
            Step::SecondFactor => "second_factor",
            Step::Enrolment => "second_factor_enrolment",
            Step::Password => "password_setting",
        }
    }
}

/// Who proved what so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge {
    pub organization: OrganizationId,
    pub user: UserId,
    /// How the user came in.
    pub method: SignInMethod,
    /// The link that the user came in by, to be used up when they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<(PassId, PassKind)>,
    /// The invitation that is complete when the user is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Where the user came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The linked account from which the user comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched: Option<Switched>,
    /// Whether the caller asked for tokens beside the cookie.
    pub jwt: bool,
}

impl Challenge {
    /// That somebody came in by a method, with nothing to use up.
    pub fn of(meant: &Meant, method: SignInMethod, device: Option<Device>, jwt: bool) -> Self {
        let Meant { organization, user } = *meant;
        Self { organization, user, method, pass: None, invitation: None, device, switched: None, jwt }
    }

    /// Whose step it is, while steps are left.
    pub fn entrant(&self) -> Entrant {
        self.invitation.map_or(Entrant::Member, Entrant::Newcomer)
    }

    /// Whose step it is, when it is the last one.
    pub fn last_step(&self) -> Entrant {
        self.invitation.map_or(Entrant::Member, Entrant::Completing)
    }

    /// The text that the caller gives back with the step.
    pub fn seal(&self, keys: &TokenKeys, step: Step) -> Result<String, KeyFault> {
        keys.seal(step.purpose(), self, keys.now() + GOOD_FOR)
    }

    /// Reads a text back.
    ///
    /// # Errors
    /// One and the same problem for whatever is wrong with it.
    pub fn read(keys: &TokenKeys, step: Step, text: &str) -> Result<Self, Problem> {
        keys.unseal(step.purpose(), text).map_err(|_| Problem::new(Code::AuthenticationFailed, "sign_in.challenge_invalid"))
    }
}
