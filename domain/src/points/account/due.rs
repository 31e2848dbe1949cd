//! What is due and not recorded yet: the command that arrives first records it.

use super::aggregate::{Account, Setting};
use super::{AccountAction, AccountEvent, LotsExpired, OverdraftRepaid};
use crate::kernel::{Aggregate, TransactionId, derive_uuid};
use crate::points::{AccountKey, LedgerAccount, LotChange, Posting};

impl Account {
    /// Whether there may be something to record before or after `action`. A false alarm costs a
    /// copy of the state and records nothing.
    pub(super) fn may_be_due(&self, setting: &Setting, action: &AccountAction) -> bool {
        let now = setting.now;
        let is_past = |expires_at: Option<chrono::DateTime<chrono::Utc>>| expires_at.is_some_and(|at| at <= now);
        self.overdrawn() > 0
            || is_past(self.holds.next_timeout())
            || self.lots.due(now).next().is_some()
            || match action {
                AccountAction::ResolveCredit(command) => {
                    self.pending.get(command.transaction_id).is_some_and(|credit| is_past(credit.expires_at))
                }
                AccountAction::TransferIn(command) => command.portions.iter().any(|portion| is_past(portion.expires_at)),
                AccountAction::Reverse(_) => true,
                _ => false,
            }
    }

    /// Records what is due into `events`: holds past their time, then overdraft that free lots pay
    /// back, then lots past their expiry.
    pub(super) fn record_due(&mut self, setting: &Setting, events: &mut Vec<AccountEvent>) {
        let due: Vec<TransactionId> = self.holds.due(setting.now).collect();
        for hold in due {
            let timed_out = self.hold_timed_out(setting, hold);
            self.record(timed_out, events);
        }
        let repaid = self.overdraft_repaid(setting);
        self.record(repaid, events);
        let expired = self.lots_expired(setting);
        self.record(expired, events);
    }

    fn record(&mut self, event: Option<AccountEvent>, events: &mut Vec<AccountEvent>) {
        if let Some(event) = event {
            self.evolve(&event);
            events.push(event);
        }
    }

    fn overdraft_repaid(&self, setting: &Setting) -> Option<AccountEvent> {
        let lots = self.lots.spend(self.overdrawn(), |_| true);
        let amount = taken(&lots).filter(|amount| *amount > 0)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        let transaction_id = self.next_entry_id(setting);
        Some(OverdraftRepaid { program_id, user_id, team_id, transaction_id, amount, lots, postings: Vec::new() }.into())
    }

    fn lots_expired(&self, setting: &Setting) -> Option<AccountEvent> {
        let free = self.lots.due(setting.now).filter(|lot| lot.free() > 0);
        let lots: Vec<_> = free.map(|lot| LotChange { lot: lot.id, amount: -lot.free(), held: 0, terms: None }).collect();
        let amount = taken(&lots).filter(|amount| *amount > 0)?;
        let AccountKey { program_id, user_id, team_id } = setting.account;
        let transaction_id = self.next_entry_id(setting);
        let postings = Posting::movement(setting.member(), LedgerAccount::Expiry, amount);
        Some(LotsExpired { program_id, user_id, team_id, transaction_id, amount, lots, postings }.into())
    }

    /// The id of an entry that nobody asked for: the account and the entry's place in it.
    fn next_entry_id(&self, setting: &Setting) -> TransactionId {
        let place = (self.entries + 1).to_be_bytes();
        TransactionId(derive_uuid("points-entry", &[setting.account.id().0.as_bytes(), &place]))
    }
}

fn taken(changes: &[LotChange]) -> Option<i64> {
    Some(-changes.iter().map(|change| change.amount).sum::<i64>())
}
