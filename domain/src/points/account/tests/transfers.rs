//! Two halves that share one id and keep the points' expiry.

use super::*;

#[test]
fn a_transfer_moves_points_with_their_expiry() {
    let mut alice = Ledger::new();
    alice.earns(1, 10, Some(20)).earns(2, 10, Some(20)).earns(3, 10, Some(30)).earns(4, 10, None);
    let events = alice.does(send(5, 35));
    let [AccountEvent::TransferSent(sent)] = &events[..] else { panic!("{events:?}") };
    let portions: Vec<_> = sent.portions.iter().map(|portion| (portion.amount, portion.expires_at)).collect();
    assert_eq!(portions, [(20, Some(day(20))), (10, Some(day(30))), (5, None)]);
    assert_eq!(alice.balance(), (5, 0, 5));

    let mut bob = Ledger { key: of(BOB), ..Ledger::new() };
    let received = TransferIn { transfer_id: id(5), from_user_id: ALICE, portions: sent.portions.clone(), reason: None };
    let events = bob.does(received);
    assert_eq!(bob.balance(), (35, 0, 35));
    assert_eq!(bob.lots().iter().map(|(_, points)| *points).collect::<Vec<_>>(), [20, 10, 5]);
    let clearing: i64 = [sent.postings.as_slice(), events[0].postings()]
        .concat()
        .iter()
        .filter(|posting| posting.account == LedgerAccount::Transfers)
        .map(|posting| posting.amount)
        .sum();
    assert_eq!(clearing, 0);
    alice.check_replay();
    bob.check_replay();
}

#[test]
fn points_are_not_transferred_to_oneself() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, None);
    let refused = ledger.refuses(TransferOut { to_user_id: ALICE, ..send(2, 5) });
    assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("to_user_id")));
    assert_eq!(ledger.refuses(TransferIn { from_user_id: ALICE, ..receive(2, &[(5, None)]) }), AccountError::SelfTransfer);
}

#[test]
fn only_points_that_are_there_are_transferred() {
    let mut ledger = Ledger::with_floor(-100);
    ledger.earns(1, 10, None);
    assert_eq!(ledger.refuses(send(2, 11)), AccountError::InsufficientPoints { wanted: 11, spendable: 10 });
    ledger.does(hold(3, 40));
    ledger.earns(4, 50, None);
    assert_eq!(ledger.refuses(send(2, 21)), AccountError::InsufficientPoints { wanted: 21, spendable: 20 });
    ledger.does(send(2, 20));
}

#[test]
fn what_arrives_has_an_amount() {
    let ledger = Ledger::new();
    for portions in [&[][..], &[(0, None)], &[(5, None), (-1, None)], &[(AMOUNT_MAX_POINTS, None), (1, None)]] {
        assert_eq!(ledger.refuses(receive(1, portions)).code(), Code::ValidationError, "{portions:?}");
    }
}

#[test]
fn a_transfer_is_not_reversed_by_one_side() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, None).does(send(2, 5));
    ledger.does(receive(3, &[(5, None)]));
    assert_eq!(ledger.refuses(reverse(4, 2, None)), AccountError::NotReversible);
    assert_eq!(ledger.refuses(reverse(4, 3, None)), AccountError::NotReversible);
}

#[test]
fn what_arrives_past_its_expiry_expires_at_once() {
    let mut ledger = Ledger::new();
    let events = ledger.at(5).does(receive(1, &[(5, Some(5)), (7, None)]));
    assert_eq!(event_types(&events), ["points.transfer_received", "points.lots_expired"]);
    assert_eq!(ledger.balance(), (7, 0, 7));
}
