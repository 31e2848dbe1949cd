//! Accounts: freezing them, and recording what is due.

use super::of_account::{named_account, of_account};
use super::{account_stream, act, program_stream, reason};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::user::User,
    kernel::{Admission, Code, UserId},
    points::{
        AccountKey,
        account::{self, AccountAction},
    },
};

crate::capabilities! {
    FreezeAccount => permit "points.account.freeze", throttle Write;
    UnfreezeAccount => permit "points.account.unfreeze", throttle Write;
}

of_account! {
    /// Freezes an account: nothing is spent from it until it is unfrozen.
    FreezeAccount {
        #[schema(max_length = 500)]
        pub reason: Option<String>,
    }
}

of_account! {
    /// Unfreezes an account.
    UnfreezeAccount {
        #[schema(max_length = 500)]
        pub reason: Option<String>,
    }
}

impl Operation for FreezeAccount {
    named_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_named(unit, self.user_id)?;
        let freeze = account::Freeze { reason: reason(self.reason.as_ref())? };
        act(unit, self.account(), AccountAction::Freeze(freeze))?;
        Ok(Answer::new("id", self.account().id(), "FROZEN"))
    }
}

impl Operation for UnfreezeAccount {
    named_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_named(unit, self.user_id)?;
        let unfreeze = account::Unfreeze { reason: reason(self.reason.as_ref())? };
        act(unit, self.account(), AccountAction::Unfreeze(unfreeze))?;
        Ok(Answer::new("id", self.account().id(), "ACTIVE"))
    }
}

/// The address names the user, so an unknown one is a resource that is not there.
fn check_named(unit: &mut Unit<'_>, user: UserId) -> Result<(), Refused> {
    let known = unit.state::<User>(user)?.profile().is_some();
    if known { Ok(()) } else { Err(Refused::new(Code::ResourceNotFound, "points.user_unknown", "there is no such user")) }
}

/// Records what is due on an account: holds past their time and lots past their expiry. A timer
/// asks for it, no route does.
#[derive(Clone, Copy, Debug)]
pub struct ExpireDue {
    pub account: AccountKey,
}

impl Operation for ExpireDue {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![account_stream(admission, &self.account)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![program_stream(admission, self.account.program_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        act(unit, self.account, AccountAction::ExpireLots)?;
        Ok(Answer::new("id", self.account.id(), "RECORDED"))
    }
}
