//! The fold, apart from SQL: what a batch creates, what it changes, and the lines it adds.

use super::{TransactionKind, TransactionState};
use crate::engine::{ApplyError, Delivered};
use crate::points::account_events::{Holder, parse};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::{kernel::TransactionId, points::account::AccountEvent};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Organization and transaction: the key of a row.
pub(super) type Key = (Uuid, Uuid);

/// A transaction that the batch creates, as it is at the end of the batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Created {
    pub holder: Holder,
    pub kind: TransactionKind,
    pub amount: i64,
    pub original_id: Option<Uuid>,
    pub counterparty_user_id: Option<Uuid>,
    pub rule_id: Option<Uuid>,
    pub rule_version: Option<i32>,
    pub earned_on: Option<NaiveDate>,
    pub source_id: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    pub progress: Progress,
}

/// What happens to a transaction after it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Progress {
    /// The new state, where it changed.
    pub state: Option<TransactionState>,
    /// When it became final.
    pub resolved: Option<(i64, DateTime<Utc>)>,
    pub settled: i64,
    pub released: i64,
    pub reversed: i64,
    pub shortfall: i64,
}

impl Progress {
    fn follow(&mut self, later: Progress) {
        self.state = later.state.or(self.state);
        self.resolved = later.resolved.or(self.resolved);
        self.settled += later.settled;
        self.released += later.released;
        self.reversed += later.reversed;
        self.shortfall += later.shortfall;
    }
}

/// A line of the statement; its running balance is known when it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub holder: Holder,
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    pub kind: TransactionKind,
    pub transaction_id: Uuid,
    /// Positive is earned, negative is spent or corrected (T-91).
    pub amount: i64,
}

/// Everything that a batch means for transactions and the statement.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub created: BTreeMap<Key, Created>,
    /// Of transactions that an earlier batch created.
    pub progressed: BTreeMap<Key, Progress>,
    /// In log order.
    pub lines: Vec<Line>,
}

pub(super) fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    for delivered in batch {
        let event = parse::<AccountEvent>(delivered)?;
        let at = At { holder: Holder::of(delivered, &event), position: delivered.event.position, recorded_at: delivered.event.recorded_at };
        changes.follow(&at, &event)?;
        changes.add_line(&at, &event);
    }
    Ok(changes)
}

/// Where and when an event happened.
struct At {
    holder: Holder,
    position: i64,
    recorded_at: DateTime<Utc>,
}

impl At {
    fn create(&self, kind: TransactionKind, amount: i64) -> Created {
        let (state, resolved) = match kind {
            TransactionKind::Credit => (TransactionState::Pending, None),
            TransactionKind::Hold => (TransactionState::Held, None),
            _ => (TransactionState::Resolved, Some((self.position, self.recorded_at))),
        };
        let settled = if resolved.is_some() { amount } else { 0 };
        Created {
            holder: self.holder,
            kind,
            amount,
            original_id: None,
            counterparty_user_id: None,
            rule_id: None,
            rule_version: None,
            earned_on: None,
            source_id: None,
            expires_at: None,
            position: self.position,
            recorded_at: self.recorded_at,
            progress: Progress { state: Some(state), resolved, settled, ..Progress::default() },
        }
    }

    fn close(&self, state: TransactionState, settled: i64, released: i64) -> Progress {
        Progress { state: Some(state), resolved: Some((self.position, self.recorded_at)), settled, released, ..Progress::default() }
    }
}

impl Changes {
    fn create(&mut self, id: TransactionId, created: Created) {
        self.created.insert((created.holder.organization_id, id.0), created);
    }

    fn progress(&mut self, at: &At, id: TransactionId, progress: Progress) {
        let key = (at.holder.organization_id, id.0);
        match self.created.get_mut(&key) {
            Some(created) => created.progress.follow(progress),
            None => self.progressed.entry(key).or_default().follow(progress),
        }
    }

    fn follow(&mut self, at: &At, event: &AccountEvent) -> Result<(), ApplyError> {
        use TransactionKind::{Credit, Debit, Expiry, Hold, OverdraftRepayment, Reversal, Settlement, Transfer};
        use TransactionState::{Posted, Resolved, TimedOut, Voided};
        match event {
            AccountEvent::CreditAccepted(event) => {
                let created = Created {
                    rule_id: event.rule_id.map(Uuid::from),
                    rule_version: version(event.rule_version)?,
                    earned_on: event.earned_on,
                    source_id: event.source_id.clone().map(String::from),
                    expires_at: event.expires_at,
                    ..at.create(Credit, event.amount)
                };
                self.create(event.transaction_id, created);
            }
            AccountEvent::CreditResolved(event) => self.progress(at, event.transaction_id, at.close(Resolved, event.amount, 0)),
            AccountEvent::CreditVoided(event) => self.progress(at, event.transaction_id, at.close(Voided, 0, event.amount)),
            AccountEvent::CreditReversed(event) => {
                let mut created = Created {
                    original_id: event.original_id.map(Uuid::from),
                    rule_id: event.rule_id.map(Uuid::from),
                    rule_version: version(event.rule_version)?,
                    earned_on: event.earned_on,
                    source_id: event.source_id.clone().map(String::from),
                    ..at.create(Reversal, event.amount)
                };
                created.progress.shortfall = event.shortfall;
                self.create(event.transaction_id, created);
                if let Some(original) = event.original_id {
                    let taken = Progress { reversed: event.amount, shortfall: event.shortfall, ..Progress::default() };
                    self.progress(at, original, taken);
                }
            }
            AccountEvent::EarningSettled(event) => {
                let created = Created {
                    rule_id: Some(event.rule_id.0),
                    rule_version: version(Some(event.rule_version))?,
                    earned_on: Some(event.earned_on),
                    ..at.create(Settlement, event.amount)
                };
                self.create(event.transaction_id, created);
            }
            AccountEvent::HoldPlaced(event) => {
                let source_id = event.source_id.clone().map(String::from);
                self.create(event.transaction_id, Created { source_id, expires_at: event.expires_at, ..at.create(Hold, event.amount) });
            }
            AccountEvent::HoldPosted(event) => self.progress(at, event.transaction_id, at.close(Posted, event.amount, event.released)),
            AccountEvent::HoldVoided(event) => self.progress(at, event.transaction_id, at.close(Voided, 0, event.amount)),
            AccountEvent::HoldTimedOut(event) => self.progress(at, event.transaction_id, at.close(TimedOut, 0, event.amount)),
            AccountEvent::PointsDebited(event) => {
                let source_id = event.source_id.clone().map(String::from);
                self.create(event.transaction_id, Created { source_id, ..at.create(Debit, event.amount) });
            }
            AccountEvent::SpendingReversed(event) => {
                let original_id = Some(event.original_id.0);
                self.create(event.transaction_id, Created { original_id, ..at.create(Reversal, event.amount) });
                self.progress(at, event.original_id, Progress { reversed: event.amount, ..Progress::default() });
            }
            AccountEvent::TransferSent(event) => {
                let counterparty_user_id = Some(event.to_user_id.0);
                self.create(event.transaction_id, Created { counterparty_user_id, ..at.create(Transfer, event.amount) });
            }
            // The sending half is the transaction; this half is a line of the receiver's statement.
            AccountEvent::TransferReceived(_) | AccountEvent::AccountFrozen(_) | AccountEvent::AccountUnfrozen(_) => {}
            AccountEvent::LotsExpired(event) => self.create(event.transaction_id, at.create(Expiry, event.amount)),
            AccountEvent::OverdraftRepaid(event) => self.create(event.transaction_id, at.create(OverdraftRepayment, event.amount)),
        }
        Ok(())
    }

    fn add_line(&mut self, at: &At, event: &AccountEvent) {
        let amount = event.posted_change();
        if let Some((kind, transaction)) = mover(event).filter(|_| amount != 0) {
            let (holder, position, recorded_at) = (at.holder, at.position, at.recorded_at);
            self.lines.push(Line { holder, position, recorded_at, kind, transaction_id: transaction.0, amount });
        }
    }
}

/// The transaction by which an event moves posted points.
fn mover(event: &AccountEvent) -> Option<(TransactionKind, TransactionId)> {
    Some(match event {
        AccountEvent::CreditResolved(event) => (TransactionKind::Credit, event.transaction_id),
        AccountEvent::CreditReversed(event) => (TransactionKind::Reversal, event.transaction_id),
        AccountEvent::HoldPosted(event) => (TransactionKind::Hold, event.transaction_id),
        AccountEvent::PointsDebited(event) => (TransactionKind::Debit, event.transaction_id),
        AccountEvent::SpendingReversed(event) => (TransactionKind::Reversal, event.transaction_id),
        AccountEvent::TransferSent(event) => (TransactionKind::Transfer, event.transaction_id),
        AccountEvent::TransferReceived(event) => (TransactionKind::Transfer, event.transaction_id),
        AccountEvent::LotsExpired(event) => (TransactionKind::Expiry, event.transaction_id),
        AccountEvent::CreditAccepted(_)
        | AccountEvent::CreditVoided(_)
        | AccountEvent::EarningSettled(_)
        | AccountEvent::HoldPlaced(_)
        | AccountEvent::HoldVoided(_)
        | AccountEvent::HoldTimedOut(_)
        | AccountEvent::OverdraftRepaid(_)
        | AccountEvent::AccountFrozen(_)
        | AccountEvent::AccountUnfrozen(_) => return None,
    })
}

fn version(version: Option<u32>) -> Result<Option<i32>, ApplyError> {
    version.map(i32::try_from).transpose().map_err(|error| ApplyError::Invalid(error.to_string()))
}
