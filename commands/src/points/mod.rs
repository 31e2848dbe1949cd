//! Points: what moves them, what reserves them, and by which rules they come and go.
//!
//! Every command of an account looks at its program, which says how far the account may go below
//! zero, and at the people and the team whom it concerns.

mod accounts;
mod credits;
mod holds;
mod of_account;
mod programs;
mod reversals;
mod settlements;
#[cfg(test)]
mod tests;
mod transfers;

pub use accounts::{ExpireDue, FreezeAccount, UnfreezeAccount};
pub use credits::{CreateCredit, CreateDebit, ResolveCredit};
pub use holds::{PlaceHold, PostHold, VoidHold};
pub use programs::{AddRule, DefineProgram, RuleKind};
pub use reversals::ReverseTransaction;
pub use settlements::SettleEarnings;
pub use transfers::TransferPoints;

use crate::engine::{Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::recognition::team_stream;
use palmares_domain::{
    identity::user::{User, UserStatus},
    kernel::{Admission, Code, Personal, ProgramId, TransactionId, UserId, text::is_prose},
    points::{
        Account, AccountKey, Program,
        account::{AccountAction, AccountCommand, Reason},
    },
    recognition::team::Team,
};

/// A command that names a transaction only: whose account it is has to be looked up before it is
/// executed, because its stream is that of the account.
pub trait NeedsAccount {
    fn transaction(&self) -> TransactionId;
    fn resolve(&mut self, account: AccountKey);
}

fn account_stream(admission: &Admission, account: &AccountKey) -> StreamRef {
    StreamRef::of::<Account>(admission.organization, account.id())
}

fn program_stream(admission: &Admission, program: ProgramId) -> StreamRef {
    StreamRef::of::<Program>(admission.organization, program)
}

/// What a command of one account looks at.
fn named_by(admission: &Admission, account: &AccountKey) -> Vec<StreamRef> {
    let team = account.team_id.map(|team| team_stream(admission, team));
    let looked_at = [program_stream(admission, account.program_id), user_stream(admission, account.user_id)];
    looked_at.into_iter().chain(team).collect()
}

/// The program, which has to exist.
fn program<'u>(unit: &'u mut Unit<'_>, program: ProgramId) -> Result<&'u Program, Refused> {
    let program = unit.state::<Program>(program)?;
    if program.is_defined() { Ok(program) } else { Err(Refused::field("program_id", "points.program_not_defined")) }
}

/// The user has to exist; a suspended one may still be charged for what was ordered before.
fn check_known(unit: &mut Unit<'_>, user: UserId, field: &'static str) -> Result<UserStatus, Refused> {
    let profile = unit.state::<User>(user)?.profile();
    profile.map(|profile| profile.status).ok_or_else(|| Refused::field(field, "points.user_unknown"))
}

fn check_active(unit: &mut Unit<'_>, user: UserId, field: &'static str) -> Result<(), Refused> {
    match check_known(unit, user, field)? {
        UserStatus::Active => Ok(()),
        UserStatus::Suspended => Err(Refused::field(field, "points.user_suspended")),
        _ => Err(Refused::field(field, "points.user_not_active")),
    }
}

/// Whoever earns in a team is in it, and it is not archived. What was earned there stays theirs to spend.
fn check_in_team(unit: &mut Unit<'_>, account: &AccountKey) -> Result<(), Refused> {
    let Some(team) = account.team_id else { return Ok(()) };
    let team = unit.state::<Team>(team)?;
    let earns = team.is_open() && team.role_of(account.user_id).is_some();
    if earns { Ok(()) } else { Err(Refused::field("team_id", "points.not_in_team")) }
}

/// Acts on an account under the floor of its program; answers how many events that made.
fn act(unit: &mut Unit<'_>, account: AccountKey, action: AccountAction) -> Result<usize, Refused> {
    let floor = program(unit, account.program_id)?.floor();
    unit.run::<Account>(account.id(), &AccountCommand { account, floor, action })
}

/// A text typed by a person, where there is one.
fn reason(text: Option<&String>) -> Result<Reason, Refused> {
    match text {
        Some(text) if text.trim().is_empty() => Err(Refused::field("reason", "empty")),
        Some(text) if !is_prose(text) => Err(Refused::field("reason", "too_long")),
        text => Ok(text.cloned().map(Personal::Clear)),
    }
}

/// The account that was looked up, or the answer that there is no such transaction.
fn looked_up(account: Option<AccountKey>) -> Result<AccountKey, Refused> {
    account.ok_or_else(|| Refused::new(Code::ResourceNotFound, "points.transaction_unknown", "there is no such transaction"))
}
