//! The state of an account, the way a command takes through it, and the fold.

use super::credits::{Pending, PendingCredit};
use super::earnings::{Earned, Earnings};
use super::history::{CreditRecord, History, Record, SpendingRecord};
use super::holds::{Holds, OpenHold};
use super::lots::{Lot, Lots};
use super::shared::Shared;
use super::{AccountAction, AccountCommand, AccountError, AccountEvent, AccountFrozen, AccountUnfrozen, Freeze, Unfreeze};
use crate::kernel::{Aggregate, Facts, RuleId, TransactionId};
use crate::points::{AMOUNT_MAX_POINTS, AccountKey, LedgerAccount};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

pub(super) type Decision = Result<Vec<AccountEvent>, AccountError>;

/// The state of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// None until something happened.
    key: Option<AccountKey>,
    /// How many events there were.
    pub(super) entries: u64,
    posted: i64,
    frozen: bool,
    pub(super) lots: Lots,
    pub(super) pending: Pending,
    pub(super) holds: Holds,
    pub(super) history: Shared<History>,
    pub(super) earnings: Shared<Earnings>,
}

/// The balances of an account, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Balance {
    /// The sum of resolved transactions (W-31).
    pub posted: i64,
    /// What open holds reserve.
    pub held: i64,
    /// What can be spent without overdraft: `posted − held`.
    pub available: i64,
    /// Credits that are not resolved yet.
    pub pending: i64,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionStatus {
    /// A credit that is not resolved, or a hold that is open.
    Pending,
    /// Final: it is in the balance.
    Resolved,
    /// Final: it never reached the balance.
    Voided,
}

/// What surrounds a decision.
pub(super) struct Setting {
    pub account: AccountKey,
    pub floor: i64,
    pub now: DateTime<Utc>,
}

impl Setting {
    /// The member's side of the books.
    pub(super) fn member(&self) -> LedgerAccount {
        LedgerAccount::Member(self.account.id())
    }

    pub(super) fn check_amount(&self, amount: i64) -> Result<(), AccountError> {
        let is_right = (1..=AMOUNT_MAX_POINTS).contains(&amount);
        if is_right { Ok(()) } else { Err(AccountError::AmountOutOfRange { field: "amount", lowest: 1 }) }
    }

    pub(super) fn check_future(&self, at: Option<DateTime<Utc>>) -> Result<(), AccountError> {
        if at.is_some_and(|at| at <= self.now) { Err(AccountError::NotInFuture) } else { Ok(()) }
    }
}

impl Account {
    /// Whose account it is; none before its first event.
    pub fn key(&self) -> Option<AccountKey> {
        self.key
    }

    pub fn balance(&self) -> Balance {
        Balance { posted: self.posted, held: self.holds.total(), available: self.available(), pending: self.pending.total() }
    }

    pub fn posted(&self) -> i64 {
        self.posted
    }

    pub fn held(&self) -> i64 {
        self.holds.total()
    }

    /// `posted − held`.
    pub fn available(&self) -> i64 {
        self.posted - self.holds.total()
    }

    /// What was spent beyond the lots and is not paid back.
    pub fn overdrawn(&self) -> i64 {
        self.lots.total() - self.posted
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The open lots, in the order in which they are spent.
    pub fn lots(&self) -> &[Lot] {
        self.lots.open()
    }

    pub fn hold(&self, id: TransactionId) -> Option<&OpenHold> {
        self.holds.open().get(&id)
    }

    /// What a day is worth by a rule, and what it gave.
    pub fn earned(&self, rule: RuleId, day: NaiveDate) -> Earned {
        self.earnings.get((rule, day))
    }

    /// The state of a transaction that is open or among the remembered ones.
    pub fn status(&self, id: TransactionId) -> Option<TransactionStatus> {
        if self.pending.get(id).is_some() || self.hold(id).is_some() {
            return Some(TransactionStatus::Pending);
        }
        self.history.get(id).map(|record| match record {
            Record::CreditVoided | Record::HoldReleased => TransactionStatus::Voided,
            Record::Credit(_) | Record::Spending(_) | Record::Final => TransactionStatus::Resolved,
        })
    }

    /// When something is due next: the moment for a timer.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.holds.next_timeout().into_iter().chain(self.lots.next_expiry()).min()
    }

    pub(super) fn check_new(&self, id: TransactionId) -> Result<(), AccountError> {
        if self.status(id).is_some() { Err(AccountError::TransactionExists) } else { Ok(()) }
    }

    fn act(&self, setting: &Setting, action: &AccountAction) -> Decision {
        match action {
            AccountAction::Credit(command) => self.credit(setting, command),
            AccountAction::ResolveCredit(command) => self.resolve_credit(setting, command),
            AccountAction::VoidCredit(command) => self.void_credit(setting, command),
            AccountAction::PlaceHold(command) => self.place_hold(setting, command),
            AccountAction::PostHold(command) => self.post_hold(setting, command),
            AccountAction::VoidHold(command) => self.void_hold(setting, command),
            AccountAction::TimeOutHold(command) => self.time_out_hold(command),
            AccountAction::Debit(command) => self.debit(setting, command),
            AccountAction::Reverse(command) => self.reverse(setting, command),
            AccountAction::TransferOut(command) => self.transfer_out(setting, command),
            AccountAction::TransferIn(command) => self.transfer_in(setting, command),
            AccountAction::ExpireLots => Ok(Vec::new()),
            AccountAction::Freeze(command) => self.freeze(setting, command),
            AccountAction::Unfreeze(command) => self.unfreeze(setting, command),
            AccountAction::SettleEarning(command) => self.settle_earning(setting, command),
        }
    }

    fn freeze(&self, setting: &Setting, command: &Freeze) -> Decision {
        if self.frozen {
            return Err(AccountError::AlreadyFrozen);
        }
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![AccountFrozen { program_id, user_id, team_id, reason: command.reason.clone() }.into()])
    }

    fn unfreeze(&self, setting: &Setting, command: &Unfreeze) -> Decision {
        if !self.frozen {
            return Err(AccountError::NotFrozen);
        }
        let AccountKey { program_id, user_id, team_id } = setting.account;
        Ok(vec![AccountUnfrozen { program_id, user_id, team_id, reason: command.reason.clone() }.into()])
    }

    fn close(&mut self, id: TransactionId, record: Record) {
        self.history.to_mut().close(id, record);
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "points_account";
    const SHAPE: u16 = 1;

    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = AccountError;

    fn decide(&self, command: &AccountCommand, facts: &Facts) -> Decision {
        let AccountCommand { account, floor, action } = command;
        let setting = Setting { account: *account, floor: *floor, now: facts.now };
        if !self.may_be_due(&setting, action) {
            return self.act(&setting, action);
        }
        let (mut state, mut events) = (self.clone(), Vec::new());
        state.record_due(&setting, &mut events);
        for event in state.act(&setting, action)? {
            state.evolve(&event);
            events.push(event);
        }
        // What was released or restored may be past its expiry.
        state.record_due(&setting, &mut events);
        Ok(events)
    }

    fn evolve(&mut self, event: &AccountEvent) {
        // A lot that is spent to its end is gone below, and a reversal needs its terms.
        let spending = match event {
            AccountEvent::PointsDebited(event) => {
                Some((event.transaction_id, SpendingRecord::new(false, event.amount, &self.lots, &event.lots)))
            }
            AccountEvent::HoldPosted(event) => {
                Some((event.transaction_id, SpendingRecord::new(true, event.amount, &self.lots, &event.lots)))
            }
            _ => None,
        };
        self.key = Some(event.account());
        self.entries += 1;
        self.posted += event.posted_change();
        for change in event.lots() {
            self.lots.apply(change);
        }
        self.follow(event);
        if let Some((id, record)) = spending {
            self.close(id, Record::Spending(record));
        }
    }
}

impl Account {
    /// The rest of the fold: what opens, what closes, and what a day earned.
    fn follow(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::CreditAccepted(event) => {
                let (rule_id, earned_on, settles) = (event.rule_id, event.earned_on, event.target.is_some());
                let credit = PendingCredit { amount: event.amount, expires_at: event.expires_at, rule_id, earned_on, settles };
                if let Some(earned_for) = credit.earned_for() {
                    self.earnings.to_mut().settle(earned_for, event.amount, event.target);
                }
                self.pending.accept(event.transaction_id, credit);
            }
            AccountEvent::CreditResolved(event) => {
                let earned_for = self.pending.close(event.transaction_id).and_then(|credit| credit.earned_for());
                self.close(event.transaction_id, Record::Credit(CreditRecord { amount: event.amount, reversed: 0, earned_for }));
            }
            AccountEvent::CreditVoided(event) => {
                if let Some(earned_for) = self.pending.close(event.transaction_id).and_then(|credit| credit.earned_for()) {
                    self.earnings.to_mut().settle(earned_for, -event.amount, event.target);
                }
                self.close(event.transaction_id, Record::CreditVoided);
            }
            AccountEvent::CreditReversed(event) => {
                if let Some(earned_for) = event.rule_id.zip(event.earned_on) {
                    self.earnings.to_mut().settle(earned_for, -event.amount, event.target);
                    if event.original_id.is_none() {
                        self.history.to_mut().reverse_earned(earned_for, event.amount);
                    }
                }
                if let Some(Record::Credit(credit)) = event.original_id.and_then(|id| self.history.to_mut().get_mut(id)) {
                    credit.reversed += event.amount + event.shortfall;
                }
                self.close(event.transaction_id, Record::Final);
            }
            AccountEvent::EarningSettled(event) => {
                self.earnings.to_mut().settle((event.rule_id, event.earned_on), 0, Some(event.target));
                self.close(event.transaction_id, Record::Final);
            }
            AccountEvent::HoldPlaced(event) => {
                let lots = event.lots.iter().map(|change| (change.lot, change.held)).collect();
                self.holds.place(event.transaction_id, OpenHold { amount: event.amount, expires_at: event.expires_at, lots });
            }
            AccountEvent::HoldPosted(event) => self.holds.close(event.transaction_id),
            AccountEvent::HoldVoided(event) => self.release(event.transaction_id),
            AccountEvent::HoldTimedOut(event) => self.release(event.transaction_id),
            AccountEvent::SpendingReversed(event) => {
                if let Some(Record::Spending(spending)) = self.history.to_mut().get_mut(event.original_id) {
                    spending.give_back(event.amount);
                }
                self.close(event.transaction_id, Record::Final);
            }
            AccountEvent::TransferSent(event) => self.close(event.transaction_id, Record::Final),
            AccountEvent::TransferReceived(event) => self.close(event.transaction_id, Record::Final),
            AccountEvent::AccountFrozen(_) => self.frozen = true,
            AccountEvent::AccountUnfrozen(_) => self.frozen = false,
            AccountEvent::PointsDebited(_) | AccountEvent::LotsExpired(_) | AccountEvent::OverdraftRepaid(_) => {}
        }
    }

    fn release(&mut self, id: TransactionId) {
        self.holds.close(id);
        self.close(id, Record::HoldReleased);
    }
}
