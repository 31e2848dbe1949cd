//! Open → posted, voided or timed out, and nothing after.

use super::*;

// covers: T-33
#[test]
fn a_hold_reserves_points_and_moves_none() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    let events = ledger.does(hold(2, 60));
    assert_eq!(event_types(&events), ["points.hold_placed"]);
    assert!(events[0].postings().is_empty());
    assert_eq!(ledger.balance(), (100, 60, 40));
    assert_eq!(ledger.account.status(id(2)), Some(TransactionStatus::Pending));
    let refused = ledger.refuses(hold(3, 41));
    assert_eq!((&refused, refused.code()), (&AccountError::InsufficientPoints { wanted: 41, spendable: 40 }, Code::InsufficientPoints));
    assert_eq!(ledger.refuses(debit(3, 41)).code(), Code::InsufficientPoints);
    ledger.does(hold(3, 40));
    assert_eq!(ledger.balance(), (100, 100, 0));
}

#[test]
fn a_hold_is_posted_whole() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 60));
    let events = ledger.does(post(2, None));
    let [AccountEvent::HoldPosted(posted)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((posted.amount, posted.released), (60, 0));
    assert_eq!(ledger.balance(), (40, 0, 40));
    assert_eq!(ledger.account.status(id(2)), Some(TransactionStatus::Resolved));
}

#[test]
fn a_hold_is_posted_in_part_and_the_rest_comes_free() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 50, Some(10)).earns(2, 50, Some(20)).does(hold(3, 80));
    let events = ledger.does(post(3, Some(30)));
    let [AccountEvent::HoldPosted(posted)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((posted.amount, posted.released), (30, 50));
    assert_eq!((ledger.balance(), ledger.lots()), ((70, 0, 70), vec![(lot(1), 20), (lot(2), 50)]));
}

#[test]
fn no_more_is_posted_than_was_held() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 60));
    let refused = ledger.refuses(post(2, Some(61)));
    assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("amount")));
    assert_eq!(ledger.refuses(post(2, Some(0))).code(), Code::ValidationError);
}

#[test]
fn a_voided_hold_comes_free() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 60));
    assert_eq!(event_types(&ledger.does(void_hold(2))), ["points.hold_voided"]);
    assert_eq!(ledger.balance(), (100, 0, 100));
    assert_eq!(ledger.account.status(id(2)), Some(TransactionStatus::Voided));
}

#[test]
fn a_closed_hold_stays_closed() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    ledger.does(hold(2, 10));
    ledger.does(post(2, None));
    ledger.does(hold(3, 10));
    ledger.does(void_hold(3));
    for refused in [ledger.refuses(post(2, None)), ledger.refuses(void_hold(2))] {
        assert_eq!((&refused, refused.code()), (&AccountError::AlreadyPosted, Code::Conflict));
    }
    for refused in [ledger.refuses(post(3, None)), ledger.refuses(void_hold(3))] {
        assert_eq!((&refused, refused.code()), (&AccountError::HoldReleased, Code::Conflict));
    }
}

#[test]
fn an_unknown_hold_is_not_found() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(debit(2, 10));
    for number in [1, 2, 3] {
        assert_eq!(ledger.refuses(post(number, None)).code(), Code::ResourceNotFound);
        assert_eq!(ledger.refuses(void_hold(number)).code(), Code::ResourceNotFound);
        assert_eq!(ledger.refuses(time_out(number)).code(), Code::ResourceNotFound);
    }
}

#[test]
fn a_hold_times_out_at_its_time_and_not_before() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(PlaceHold { expires_at: Some(day(5)), ..hold(2, 60) });
    assert_eq!(ledger.account.next_due(), Some(day(5)));
    assert_eq!(ledger.at(4).refuses(time_out(2)), AccountError::HoldNotDue);
    assert_eq!(event_types(&ledger.at(5).does(time_out(2))), ["points.hold_timed_out"]);
    assert_eq!((ledger.balance(), ledger.account.next_due()), ((100, 0, 100), None));
    assert_eq!(ledger.refuses(post(2, None)), AccountError::HoldReleased);
}

#[test]
fn a_timer_that_comes_late_or_twice_records_nothing() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    for number in [2, 3, 4] {
        ledger.does(PlaceHold { expires_at: Some(day(5)), ..hold(number, 10) });
    }
    ledger.does(post(2, None));
    ledger.does(void_hold(3));
    ledger.at(6).does(time_out(4));
    for number in [2, 3, 4] {
        assert_eq!(ledger.does(time_out(number)), []);
    }
}

#[test]
fn a_hold_that_never_times_out_is_not_due() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 60));
    assert_eq!(ledger.at(9_999).refuses(time_out(2)), AccountError::HoldNotDue);
    let refused = ledger.refuses(PlaceHold { expires_at: Some(day(9_999)), ..hold(3, 10) });
    assert_eq!(refused.field(), Some("expires_at"));
}
