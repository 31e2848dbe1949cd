//! Links and codes that are sent to a mailbox or a telephone and are good once.

use super::CredentialError;
use crate::kernel::PassId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How many of a kind are issued in an hour.
pub const PASSES_PER_HOUR_MAX: usize = 5;
/// How often a code may be typed wrong: six digits are guessed with a probability of 5 in a million.
pub const PASS_FAILURES_MAX: u8 = 5;
const APART: TimeDelta = TimeDelta::seconds(60);
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// What a link or a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassKind {
    /// A link that signs in (E-93).
    MagicLink,
    /// A link that sets a new password.
    PasswordReset,
    /// Six digits, a second factor (E-111).
    EmailCode,
    /// A link that shows that the mailbox is the user's (E-136).
    EmailVerification,
    /// Says that there is an account already, to whoever asked to sign up with its address. It opens nothing.
    AccountReminder,
    /// Six digits by text message that show that the telephone is the user's (E-112).
    PhoneEnrolment,
    /// Six digits by text message, a second factor (E-112).
    PhoneCode,
}

impl PassKind {
    /// Whether it goes to a telephone, and so tells nothing about a mailbox.
    pub fn is_of_phone(self) -> bool {
        matches!(self, PassKind::PhoneEnrolment | PassKind::PhoneCode)
    }
}

/// One that still works.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub pass_id: PassId,
    /// The mailbox or the number that it was sent to.
    pub to: String,
    pub expires_at: DateTime<Utc>,
    /// How often it was typed wrong.
    pub failures: u8,
}

/// All of one kind: the newest, where it still works, and when the last ones were issued.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PassesOfKind {
    newest: Option<Pass>,
    /// At most [`PASSES_PER_HOUR_MAX`], in order.
    issued_at: Vec<DateTime<Utc>>,
}

impl PassesOfKind {
    pub fn newest(&self) -> Option<&Pass> {
        self.newest.as_ref()
    }

    /// Refuses one more so soon.
    pub fn check_pace(&self, now: DateTime<Utc>) -> Result<(), CredentialError> {
        let too_soon = self.issued_at.last().is_some_and(|last| now - *last < APART);
        let recently = self.issued_at.iter().filter(|issued| now - **issued < WINDOW).count();
        if too_soon || recently >= PASSES_PER_HOUR_MAX { Err(CredentialError::TooManyPasses) } else { Ok(()) }
    }

    /// The pass of this id, where it still works.
    pub fn usable(&self, pass_id: PassId, now: DateTime<Utc>) -> Result<&Pass, CredentialError> {
        let pass = self.newest.as_ref().filter(|pass| pass.pass_id == pass_id).ok_or(CredentialError::PassNotValid)?;
        if pass.expires_at <= now { Err(CredentialError::PassExpired) } else { Ok(pass) }
    }

    pub fn issued(&mut self, pass: Pass, issued_at: DateTime<Utc>) {
        self.newest = Some(pass);
        self.issued_at.push(issued_at);
        let surplus = self.issued_at.len().saturating_sub(PASSES_PER_HOUR_MAX);
        self.issued_at.drain(..surplus);
    }

    pub fn withdraw(&mut self) {
        self.newest = None;
    }

    /// Withdraws the pass of this id, if it is here.
    pub fn used(&mut self, pass_id: PassId) {
        self.newest.take_if(|pass| pass.pass_id == pass_id);
    }

    /// Counts a failure of this pass, if it is here; the last one withdraws it.
    pub fn failed(&mut self, pass_id: PassId) {
        if let Some(pass) = self.newest.as_mut().filter(|pass| pass.pass_id == pass_id) {
            pass.failures = pass.failures.saturating_add(1);
        }
        self.newest.take_if(|pass| pass.failures >= PASS_FAILURES_MAX);
    }
}
