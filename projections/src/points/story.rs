//! What the tests of folds tell: commands that are decided by the domain, and the events as a
//! projector gets them.

use crate::engine::Delivered;
use crate::testing::{recorded, recorded_at};
use palmares_domain::{
    kernel::{Aggregate, Facts, OrganizationId, ProgramId, TransactionId, UserId},
    points::{
        Account, AccountKey,
        account::{AccountAction, AccountCommand, Credit, Debit, PlaceHold, PostHold, ResolveCredit, Reverse, TransferIn, TransferOut},
    },
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
pub const ALICE: AccountKey = of(11);
pub const BOB: AccountKey = of(12);

const fn of(user: u128) -> AccountKey {
    AccountKey { program_id: ProgramId(Uuid::from_u128(2)), user_id: UserId(Uuid::from_u128(user)), team_id: None }
}

pub fn id(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(number))
}

/// A log in which every event is one of an account; its first position is 1.
#[derive(Default)]
pub struct Story {
    pub log: Vec<Delivered>,
    pub accounts: BTreeMap<AccountKey, Account>,
}

impl Story {
    pub fn act(&mut self, account: AccountKey, action: AccountAction) -> &mut Self {
        let state = self.accounts.entry(account).or_default();
        let facts = Facts { now: recorded_at(self.log.len() as i64 + 1), actor: account.user_id };
        for event in state.decide(&AccountCommand { account, floor: 0, action }, &facts).unwrap() {
            state.evolve(&event);
            let position = self.log.len() as i64 + 1;
            self.log.push(recorded(ACME, (Account::TYPE, account.id().0, position), position, &event));
        }
        self
    }

    pub fn credit(&mut self, account: AccountKey, transaction: u128, amount: i64) -> &mut Self {
        let transaction_id = id(transaction);
        let (rule, earned_on, source_id, expires_at, reason) = (None, None, None, None, None);
        self.act(account, AccountAction::Credit(Credit { transaction_id, amount, rule, earned_on, source_id, expires_at, reason }))
    }

    pub fn resolve(&mut self, account: AccountKey, transaction: u128) -> &mut Self {
        self.act(account, AccountAction::ResolveCredit(ResolveCredit { transaction_id: id(transaction) }))
    }

    pub fn hold(&mut self, account: AccountKey, transaction: u128, amount: i64) -> &mut Self {
        let (hold_id, source_id, expires_at, reason) = (id(transaction), None, None, None);
        self.act(account, AccountAction::PlaceHold(PlaceHold { hold_id, amount, source_id, expires_at, reason }))
    }

    pub fn post(&mut self, account: AccountKey, transaction: u128, amount: i64) -> &mut Self {
        self.act(account, AccountAction::PostHold(PostHold { hold_id: id(transaction), amount: Some(amount) }))
    }

    pub fn debit(&mut self, account: AccountKey, transaction: u128, amount: i64) -> &mut Self {
        let (transaction_id, source_id, reason) = (id(transaction), None, None);
        self.act(account, AccountAction::Debit(Debit { transaction_id, amount, source_id, reason }))
    }

    pub fn reverse(&mut self, account: AccountKey, transaction: u128, original: u128, amount: i64) -> &mut Self {
        let (transaction_id, original_id, expires_at, reason) = (id(transaction), id(original), None, None);
        self.act(account, AccountAction::Reverse(Reverse { transaction_id, original_id, amount: Some(amount), expires_at, reason }))
    }

    pub fn transfer(&mut self, from: AccountKey, to: AccountKey, transaction: u128, amount: i64) -> &mut Self {
        let (transfer_id, to_user_id) = (id(transaction), to.user_id);
        self.act(from, AccountAction::TransferOut(TransferOut { transfer_id, to_user_id, amount, reason: None }));
        let portions = vec![palmares_domain::points::Portion { amount, expires_at: None }];
        let from_user_id = from.user_id;
        self.act(to, AccountAction::TransferIn(TransferIn { transfer_id, from_user_id, portions, reason: None }))
    }

    /// A bit of everything, for two members.
    pub fn varied() -> Self {
        let mut story = Self::default();
        story.credit(ALICE, 100, 50).credit(BOB, 101, 30).resolve(ALICE, 100).hold(ALICE, 102, 20).resolve(BOB, 101);
        story.post(ALICE, 102, 15).debit(BOB, 103, 10).reverse(BOB, 104, 103, 4).transfer(ALICE, BOB, 105, 5);
        story.reverse(ALICE, 106, 100, 50).credit(ALICE, 107, 7).hold(BOB, 108, 29);
        story
    }
}
