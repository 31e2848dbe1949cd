//! Rights that need a second factor are of no use in a session that showed none (E-113).
//!
//! Signing in asks for the factor where it knows that it is needed. A role that is given afterwards, and one
//! that an elevation lends, find sessions that are there: in those the role is withheld. So is every role in
//! sessions that began before the organization asked everyone for a second factor. What a role takes away it
//! takes away all the same, and everything else that the person may goes on.

use super::{
    decision::{Circumstances, Verdict},
    gate::{Caller, Gate},
    ports::Shown,
};
use crate::problem::{Denied, Problem};
use palmares_domain::{
    identity::{HeldRole, Rights},
    kernel::{Code, OrganizationId, UserId},
};

const REQUIRED: &str = "gate.second_factor_required";

impl Caller {
    /// Sets apart the roles that the session cannot be used with.
    pub(super) fn withhold(&mut self, shown: Option<Shown>) {
        self.shown = shown;
        let rights = std::mem::take(&mut self.rights);
        (self.rights, self.withheld) = match shown {
            None | Some(Shown::TwoFactors) => (rights, Rights::default()),
            Some(Shown::OneFactor) => rights.by_factors(),
            Some(Shown::TooLittle) => (Rights::default(), rights),
        };
    }

    /// Refuses a role that is lent to a session that cannot be used with it.
    pub(super) fn check_may_borrow(&self, role: &HeldRole) -> Result<(), Problem> {
        let lacks = match self.shown {
            None | Some(Shown::TwoFactors) => false,
            Some(Shown::OneFactor) => role.needs_second_factor(),
            Some(Shown::TooLittle) => true,
        };
        if lacks { Err(required()) } else { Ok(()) }
    }

    /// Whether the caller would reach every organization in another session.
    pub(super) fn check_reach_withheld(&self) -> Result<(), Problem> {
        if self.withheld.reach_everywhere() { Err(required()) } else { Ok(()) }
    }

    /// What the caller might in another session.
    fn all_rights(&self) -> Rights {
        self.withheld.held().iter().cloned().fold(self.rights.clone(), Rights::with)
    }
}

impl Gate {
    /// Asks the policies. In a session that showed one factor, they permit what they permit to the roles that
    /// are left, and forbid what they forbid to any of the caller's.
    pub(super) fn ask(
        &self,
        caller: &Caller,
        permission: &'static str,
        organization: OrganizationId,
        owner: Option<UserId>,
        circumstances: Circumstances<'_>,
    ) -> Verdict {
        let usable = self.ask_with(caller, &caller.rights, permission, organization, owner, circumstances);
        if caller.withheld.held().is_empty() || matches!(usable, Verdict::Deny(_)) {
            return usable;
        }
        match self.ask_with(caller, &caller.all_rights(), permission, organization, owner, circumstances) {
            Verdict::Permit(_) => usable,
            forbidden => forbidden,
        }
    }

    /// A refusal of its own where nothing but the second factor is missing.
    pub(super) fn check_withheld(
        &self,
        caller: &Caller,
        permission: &'static str,
        organization: OrganizationId,
        owner: Option<UserId>,
        circumstances: Circumstances<'_>,
        denied: &[String],
    ) -> Result<(), Problem> {
        if caller.withheld.held().is_empty() {
            return Ok(());
        }
        match self.ask_with(caller, &caller.all_rights(), permission, organization, owner, circumstances) {
            Verdict::Permit(_) => {
                Err(Problem { denied: Some(Box::new(Denied { reason: REQUIRED, policies: denied.to_vec() })), ..required() })
            }
            Verdict::Deny(_) => Ok(()),
        }
    }
}

fn required() -> Problem {
    Problem::new(Code::AccessDenied, REQUIRED)
}
