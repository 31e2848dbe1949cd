//! Given what happened, when a command comes, then events or a refusal; and after every command,
//! whatever it is, the promises of the account.

mod credits;
mod due;
mod earnings;
mod holds;
mod properties;
mod reversals;
mod spending;
mod transfers;

use super::*;
use crate::kernel::{Aggregate, Code, Event, Facts, ProgramId, Refusal, RuleId, TeamId, TransactionId, UserId};
use crate::points::{AMOUNT_MAX_POINTS, AccountKey, BALANCE_MAX_POINTS, LedgerAccount, LotId, Portion, Posting};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

const WELLNESS: ProgramId = ProgramId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

fn of(user_id: UserId) -> AccountKey {
    AccountKey { program_id: WELLNESS, user_id, team_id: None }
}

fn id(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(number))
}

fn lot(number: u128) -> LotId {
    LotId(id(number).0)
}

/// The beginning of a day, counted from 0.
fn day(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(number)
}

/// An account with everything that ever happened to it.
struct Ledger {
    key: AccountKey,
    floor: i64,
    now: DateTime<Utc>,
    account: Account,
    events: Vec<AccountEvent>,
}

impl Ledger {
    fn new() -> Self {
        Self::with_floor(0)
    }

    fn with_floor(floor: i64) -> Self {
        Self { key: of(ALICE), floor, now: day(0), account: Account::default(), events: Vec::new() }
    }

    fn at(&mut self, number: i64) -> &mut Self {
        self.now = day(number);
        self
    }

    fn decide(&self, action: impl Into<AccountAction>) -> Result<Vec<AccountEvent>, AccountError> {
        let command = AccountCommand { account: self.key, floor: self.floor, action: action.into() };
        self.account.decide(&command, &Facts { now: self.now, actor: ALICE })
    }

    fn attempt(&mut self, action: impl Into<AccountAction>) -> Result<Vec<AccountEvent>, AccountError> {
        let events = self.decide(action)?;
        for event in &events {
            self.account.evolve(event);
        }
        self.events.extend(events.iter().cloned());
        self.check_promises();
        Ok(events)
    }

    /// The events of an action that must not be refused.
    #[track_caller]
    fn does(&mut self, action: impl Into<AccountAction>) -> Vec<AccountEvent> {
        self.attempt(action).expect("the action is refused")
    }

    #[track_caller]
    fn refuses(&self, action: impl Into<AccountAction>) -> AccountError {
        self.decide(action).expect_err("the action is not refused")
    }

    /// Points that arrived and were resolved; their lot has the credit's number.
    #[track_caller]
    fn earns(&mut self, number: u128, amount: i64, expires_on: Option<i64>) -> &mut Self {
        self.does(Credit { expires_at: expires_on.map(day), ..credit(number, amount) });
        self.does(resolve(number));
        self
    }

    /// Posted, held and available.
    fn balance(&self) -> (i64, i64, i64) {
        let balance = self.account.balance();
        (balance.posted, balance.held, balance.available)
    }

    /// What remains in each lot, in the order in which they are spent.
    fn lots(&self) -> Vec<(LotId, i64)> {
        self.account.lots().iter().map(|lot| (lot.id, lot.remaining)).collect()
    }

    // covers: W-05, W-31, T-18, T-31, T-33, T-58, T-91
    fn check_promises(&self) {
        let account = &self.account;
        let (posted, held, available) = self.balance();
        assert!(available == posted - held && available >= self.floor, "{available} is below the floor {}", self.floor);

        let mut books: BTreeMap<LedgerAccount, i64> = BTreeMap::new();
        let mut remaining: BTreeMap<LotId, (i64, i64)> = BTreeMap::new();
        for event in &self.events {
            assert_eq!(event.postings().iter().map(|posting| posting.amount).sum::<i64>(), 0, "{event:?} does not balance");
            assert_eq!(event.account(), self.key);
            event.postings().iter().for_each(|posting| *books.entry(posting.account).or_default() += posting.amount);
            for change in event.lots() {
                assert_eq!(change.terms.is_some(), change.amount > 0, "{event:?}: terms stand where points are added");
                assert!(change.amount != 0 || change.held != 0, "{event:?} changes nothing on a lot");
                let lot = remaining.entry(change.lot).or_default();
                *lot = (lot.0 + change.amount, lot.1 + change.held);
            }
        }
        let book = |side| books.get(&side).copied().unwrap_or_default();
        assert_eq!(book(LedgerAccount::Member(self.key.id())), posted);
        assert_eq!(book(LedgerAccount::Pending), account.balance().pending);
        assert_eq!(self.events.iter().map(AccountEvent::posted_change).sum::<i64>(), posted);
        assert_eq!(self.events.iter().map(AccountEvent::held_change).sum::<i64>(), held);
        assert_eq!(self.events.iter().map(AccountEvent::pending_change).sum::<i64>(), account.balance().pending);

        remaining.retain(|_, lot| *lot != (0, 0));
        let lots = account.lots();
        assert_eq!(lots.iter().map(|lot| (lot.id, (lot.remaining, lot.held))).collect::<BTreeMap<_, _>>(), remaining);
        assert!(lots.iter().all(|lot| lot.remaining > 0 && (0..=lot.remaining).contains(&lot.held)), "{lots:?}");
        assert_eq!(lots.iter().map(|lot| lot.remaining).sum::<i64>(), posted + account.overdrawn());
        assert!(lots.is_sorted_by_key(|lot| (lot.terms.expires_at.is_none(), lot.terms.expires_at, lot.terms.number)), "{lots:?}");
        assert!(account.overdrawn() >= 0);
        assert!(account.overdrawn() == 0 || lots.iter().all(|lot| lot.free() == 0), "overdraft beside free points");
        assert!(lots.iter().all(|lot| !lot.is_due(self.now) || lot.free() == 0), "due points stand at {}", self.now);
    }

    /// Replay from what is stored, a snapshot, and the live state are one.
    fn check_replay(&self) {
        let mut replayed = Account::default();
        for event in &self.events {
            let stored = AccountEvent::from_payload(event.event_type(), event.schema_version(), &event.to_payload().unwrap()).unwrap();
            assert_eq!(stored, *event);
            replayed.evolve(&stored);
        }
        assert_eq!(replayed, self.account);
        let snapshot = serde_json::to_value(&self.account).unwrap();
        assert_eq!(serde_json::from_value::<Account>(snapshot).unwrap(), self.account);
        let bytes = serde_json::to_vec(&self.account).unwrap();
        assert_eq!(serde_json::from_slice::<Account>(&bytes).unwrap(), self.account);
    }
}

macro_rules! into_action {
    ($($command:ident)*) => {
        $(impl From<$command> for AccountAction { fn from(command: $command) -> Self { AccountAction::$command(command) } })*
    };
}
into_action!(Credit ResolveCredit VoidCredit PlaceHold PostHold VoidHold TimeOutHold Debit Reverse TransferOut TransferIn Freeze Unfreeze SettleEarning);

fn credit(number: u128, amount: i64) -> Credit {
    Credit { transaction_id: id(number), amount, rule: None, earned_on: None, source_id: None, expires_at: None, reason: None }
}

fn resolve(number: u128) -> ResolveCredit {
    ResolveCredit { transaction_id: id(number) }
}

fn void_credit(number: u128) -> VoidCredit {
    VoidCredit { transaction_id: id(number), reason: None }
}

fn hold(number: u128, amount: i64) -> PlaceHold {
    PlaceHold { hold_id: id(number), amount, source_id: None, expires_at: None, reason: None }
}

fn post(number: u128, amount: Option<i64>) -> PostHold {
    PostHold { hold_id: id(number), amount }
}

fn void_hold(number: u128) -> VoidHold {
    VoidHold { hold_id: id(number), reason: None }
}

fn time_out(number: u128) -> TimeOutHold {
    TimeOutHold { hold_id: id(number) }
}

fn debit(number: u128, amount: i64) -> Debit {
    Debit { transaction_id: id(number), amount, source_id: None, reason: None }
}

fn reverse(number: u128, original: u128, amount: Option<i64>) -> Reverse {
    Reverse { transaction_id: id(number), original_id: id(original), amount, expires_at: None, reason: None }
}

fn send(number: u128, amount: i64) -> TransferOut {
    TransferOut { transfer_id: id(number), to_user_id: BOB, amount, reason: None }
}

fn receive(number: u128, portions: &[(i64, Option<i64>)]) -> TransferIn {
    let portions = portions.iter().map(|&(amount, expires_on)| Portion { amount, expires_at: expires_on.map(day) }).collect();
    TransferIn { transfer_id: id(number), from_user_id: BOB, portions, reason: None }
}

fn freeze() -> Freeze {
    Freeze { reason: None }
}

fn unfreeze() -> Unfreeze {
    Unfreeze { reason: None }
}

fn event_types(events: &[AccountEvent]) -> Vec<&'static str> {
    events.iter().map(Event::event_type).collect()
}
