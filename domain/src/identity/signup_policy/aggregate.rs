//! The rules of a sign-up policy.

use super::{ConfigureSignup, SignupConfigured, SignupHook, SignupPolicyError, SignupPolicyEvent};
use crate::kernel::{Aggregate, Facts};
use serde::{Deserialize, Serialize};

/// The sign-up policy of one organization: closed, until it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignupPolicy {
    open: bool,
    hooks: Vec<SignupHook>,
}

impl SignupPolicy {
    /// Whether people may sign up by themselves.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The hooks as they were configured.
    pub fn hooks(&self) -> &[SignupHook] {
        &self.hooks
    }

    /// What a sign-up has to pass, in order: nobody becomes active on an address that was not proven,
    /// so where no hook says when that is, it is last.
    pub fn steps(&self) -> Vec<SignupHook> {
        let missing = (!self.hooks.contains(&SignupHook::EmailVerification)).then_some(SignupHook::EmailVerification);
        self.hooks.iter().copied().chain(missing).collect()
    }
}

fn check(hooks: &[SignupHook]) -> Result<(), SignupPolicyError> {
    if hooks.iter().enumerate().any(|(at, hook)| hooks[..at].contains(hook)) {
        return Err(SignupPolicyError::HookRepeated);
    }
    let waits = hooks.iter().position(|hook| !hook.is_shown_by_request()).unwrap_or(hooks.len());
    if hooks[waits..].iter().any(|hook| hook.is_shown_by_request()) {
        return Err(SignupPolicyError::HookOrder);
    }
    Ok(())
}

impl Aggregate for SignupPolicy {
    const TYPE: &'static str = "signup_policy";
    const SHAPE: u16 = 1;

    type Command = ConfigureSignup;
    type Event = SignupPolicyEvent;
    type Error = SignupPolicyError;

    fn decide(&self, command: &ConfigureSignup, _facts: &Facts) -> Result<Vec<SignupPolicyEvent>, SignupPolicyError> {
        let ConfigureSignup { organization_id, open, ref hooks } = *command;
        check(hooks)?;
        let news = (open, hooks) != (self.open, &self.hooks);
        Ok(news.then(|| SignupConfigured { organization_id, open, hooks: hooks.clone() }.into()).into_iter().collect())
    }

    fn evolve(&mut self, event: &SignupPolicyEvent) {
        let SignupPolicyEvent::SignupConfigured(configured) = event;
        *self = Self { open: configured.open, hooks: configured.hooks.clone() };
    }
}
