//! `PENDING` → `RESOLVED` or `VOIDED`, and nothing after (B.3).

use super::*;

// covers: W-05, W-32, W-36
#[test]
fn a_credit_is_pending_until_it_is_resolved() {
    let mut ledger = Ledger::new();
    let events = ledger.does(Credit { expires_at: Some(day(9)), ..credit(1, 100) });
    let [AccountEvent::CreditAccepted(accepted)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((accepted.transaction_id, accepted.amount, accepted.expires_at), (id(1), 100, Some(day(9))));
    let (from, to) = (Posting { account: LedgerAccount::Issuance, amount: -100 }, Posting { account: LedgerAccount::Pending, amount: 100 });
    assert_eq!(accepted.postings, [from, to]);
    assert_eq!((ledger.balance(), ledger.account.balance().pending), ((0, 0, 0), 100));
    assert_eq!(ledger.account.status(id(1)), Some(TransactionStatus::Pending));

    let events = ledger.does(resolve(1));
    let [AccountEvent::CreditResolved(resolved)] = &events[..] else { panic!("{events:?}") };
    let member = LedgerAccount::Member(ledger.key.id());
    let (from, to) = (Posting { account: LedgerAccount::Pending, amount: -100 }, Posting { account: member, amount: 100 });
    assert_eq!(resolved.postings, [from, to]);
    assert_eq!((ledger.balance(), ledger.account.balance().pending), ((100, 0, 100), 0));
    assert_eq!(ledger.lots(), [(lot(1), 100)]);
    assert_eq!(ledger.account.next_due(), Some(day(9)));
    assert_eq!(ledger.account.status(id(1)), Some(TransactionStatus::Resolved));
}

// covers: W-33, W-34
#[test]
fn a_second_resolve_records_nothing() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    assert_eq!(ledger.does(resolve(1)), []);
    assert_eq!(ledger.balance(), (100, 0, 100));
}

// covers: W-33
#[test]
fn a_resolved_credit_is_not_voided() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    let refused = ledger.refuses(void_credit(1));
    assert_eq!((&refused, refused.code()), (&AccountError::AlreadyResolved, Code::Conflict));
}

#[test]
fn a_voided_credit_never_reaches_the_balance_and_stays_voided() {
    let mut ledger = Ledger::new();
    ledger.does(credit(1, 100));
    assert_eq!(event_types(&ledger.does(void_credit(1))), ["points.credit_voided"]);
    assert_eq!((ledger.balance(), ledger.account.balance().pending), ((0, 0, 0), 0));
    assert_eq!(ledger.account.status(id(1)), Some(TransactionStatus::Voided));
    assert_eq!(ledger.refuses(resolve(1)), AccountError::CreditVoided);
    assert_eq!(ledger.refuses(void_credit(1)), AccountError::CreditVoided);
}

#[test]
fn an_unknown_credit_is_not_found() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 10));
    for number in [2, 3] {
        assert_eq!(ledger.refuses(resolve(number)).code(), Code::ResourceNotFound);
        assert_eq!(ledger.refuses(void_credit(number)).code(), Code::ResourceNotFound);
    }
}

// covers: W-35
#[test]
fn a_transaction_id_is_used_once() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(credit(2, 5));
    ledger.does(hold(3, 10));
    ledger.does(debit(4, 10));
    for number in 1..=4 {
        assert_eq!(ledger.refuses(credit(number, 5)), AccountError::TransactionExists);
        assert_eq!(ledger.refuses(hold(number, 5)), AccountError::TransactionExists);
        assert_eq!(ledger.refuses(debit(number, 5)), AccountError::TransactionExists);
        assert_eq!(ledger.refuses(reverse(number, 1, None)), AccountError::TransactionExists);
        assert_eq!(ledger.refuses(send(number, 5)), AccountError::TransactionExists);
        assert_eq!(ledger.refuses(receive(number, &[(5, None)])), AccountError::TransactionExists);
    }
}

#[test]
fn an_amount_is_in_range_and_an_expiry_in_the_future() {
    let ledger = Ledger::new();
    for wrong in [i64::MIN, -1, 0, AMOUNT_MAX_POINTS + 1, i64::MAX] {
        let refusals = [
            ledger.refuses(credit(1, wrong)),
            ledger.refuses(hold(1, wrong)),
            ledger.refuses(debit(1, wrong)),
            ledger.refuses(send(1, wrong)),
        ];
        for refused in refusals {
            assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("amount")));
        }
    }
    let refused = ledger.refuses(Credit { expires_at: Some(day(0)), ..credit(1, 5) });
    assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("expires_at")));
}

#[test]
fn an_account_has_room_for_so_many_points() {
    let mut ledger = Ledger::new();
    ledger.account.evolve(&receipt_of(BALANCE_MAX_POINTS - 10));
    assert_eq!(ledger.refuses(credit(2, 11)).code(), Code::ValidationError);
    assert!(ledger.decide(credit(2, 10)).is_ok());
    assert_eq!(ledger.refuses(receive(2, &[(11, None)])), AccountError::BalanceTooLarge);
}

/// More than one transaction may carry, as many would.
fn receipt_of(amount: i64) -> AccountEvent {
    let AccountKey { program_id, user_id, team_id } = of(ALICE);
    let postings = Posting::movement(LedgerAccount::Transfers, LedgerAccount::Member(of(ALICE).id()), amount);
    let (from_user_id, transaction_id) = (BOB, id(1));
    TransferReceived { program_id, user_id, team_id, transaction_id, from_user_id, amount, reason: None, lots: vec![], postings }.into()
}

// covers: T-35
#[test]
fn an_account_is_one_of_program_user_and_team() {
    let team = AccountKey { team_id: Some(TeamId(Uuid::from_u128(9))), ..of(ALICE) };
    let other = AccountKey { program_id: ProgramId(Uuid::from_u128(9)), ..of(ALICE) };
    let ids = [of(ALICE).id(), of(BOB).id(), team.id(), other.id()];
    assert!(ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id)));
    let mut ledger = Ledger { key: team, ..Ledger::new() };
    ledger.earns(1, 5, None);
    assert_eq!(ledger.account.key(), Some(team));
}
