//! Points: what is earned, reserved, spent, moved and taken back.

use crate::support::running::{Organization, Reply, eventually, fresh_organization};
use chrono::{Duration, Utc};
use futures::future::join_all;
use serde_json::{Value, json};

const WAIT: (&str, &str) = ("Prefer", "wait=30");

/// A member of a fresh organization, and a program to have points in.
struct Wallet {
    organization: Organization,
    program: String,
    user: String,
}

/// What the member has, at the position of the last command.
#[derive(Debug, PartialEq, Eq)]
struct Amounts {
    posted: i64,
    held: i64,
    pending: i64,
    available: i64,
}

fn amounts(posted: i64, held: i64) -> Amounts {
    Amounts { posted, held, pending: 0, available: posted - held }
}

impl Wallet {
    async fn empty() -> Self {
        let organization = fresh_organization().await;
        let program = organization.program().await;
        let user = organization.member_id.clone();
        Self { organization, program, user }
    }

    async fn with(points: i64) -> Self {
        let wallet = Self::empty().await;
        wallet.credit(points).await;
        wallet
    }

    fn body(&self, amount: i64) -> Value {
        json!({ "program_id": self.program, "user_id": self.user, "amount": amount })
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.organization.admin.post(path, body).await
    }

    /// Credits, and waits until the points can be spent.
    async fn credit(&self, amount: i64) -> Reply {
        self.organization.admin.post_with("/points/credits", &self.body(amount), &[WAIT]).await.expect(200)
    }

    async fn hold(&self, amount: i64) -> String {
        self.post("/points/holds", &self.body(amount)).await.expect(201).id("transaction_id")
    }

    async fn amounts_at(&self, position: i64) -> Amounts {
        self.amounts_of(&self.user, position).await
    }

    async fn amounts_of(&self, user: &str, position: i64) -> Amounts {
        let points = self.organization.admin.get_at(&format!("/users/{user}/points"), position).await.expect(200);
        let total = |name: &str| points.body["totals"][0][name].as_i64().unwrap_or(0);
        Amounts { posted: total("posted"), held: total("held"), pending: total("pending"), available: total("available") }
    }

    /// Asserts that the books balance and that streams, balances and ledger agree.
    async fn assert_books_agree(&self, position: i64) {
        let books = self.organization.admin.get_at("/points/trial-balance", position).await.expect(200);
        assert_eq!(books.body["total"], 0);
        let reconciled = self.organization.admin.get_at("/points/reconciliations", position).await.expect(200);
        assert_eq!(reconciled.body["mismatches"], json!([]));
    }
}

// covers: W-32, W-36, W-37
#[tokio::test]
async fn a_credit_is_accepted_at_once_and_resolved_by_a_worker() {
    let wallet = Wallet::empty().await;
    let accepted = wallet.post("/points/credits", &wallet.body(25)).await.expect(202);
    assert_eq!(accepted.body["status"], "PENDING");
    let transaction = format!("/points/transactions/{}", accepted.id("transaction_id"));
    assert_eq!(accepted.header("location"), format!("/api/v1{transaction}"));
    let resolved = eventually("the credit is resolved", || async {
        let found = wallet.organization.admin.get_at(&transaction, accepted.position()).await.expect(200);
        (found.body["status"] == "RESOLVED").then_some(found)
    })
    .await;
    assert_eq!(resolved.body["amount"], 25);
    assert_eq!(wallet.amounts_at(resolved.position()).await, amounts(25, 0));
}

// covers: W-36
#[tokio::test]
async fn a_caller_who_prefers_to_wait_is_answered_when_the_credit_is_resolved() {
    let wallet = Wallet::empty().await;
    let resolved = wallet.credit(25).await;
    assert_eq!(resolved.body["status"], "RESOLVED");
    assert_eq!(resolved.header("preference-applied"), "wait");
    assert_eq!(wallet.amounts_at(resolved.position()).await, amounts(25, 0));
}

// covers: W-30, W-35
#[tokio::test]
async fn one_source_rewards_one_user_once() {
    let wallet = Wallet::empty().await;
    let mut body = wallet.body(10);
    body["source_id"] = "article-7".into();
    let credit = || wallet.organization.admin.post_with("/points/credits", &body, &[WAIT]);
    let answers = join_all((0..10).map(|_| credit())).await;
    let transactions: Vec<_> = answers.iter().map(|answer| answer.id("transaction_id")).collect();
    assert!(transactions.iter().all(|id| *id == transactions[0]), "{transactions:?}");
    let again = credit().await.expect(200);
    assert_eq!(again.id("transaction_id"), transactions[0]);
    assert_eq!(wallet.amounts_at(again.position()).await, amounts(10, 0));

    body["source_id"] = "article-8".into();
    let other = wallet.organization.admin.post_with("/points/credits", &body, &[WAIT]).await.expect(200);
    assert_ne!(other.id("transaction_id"), transactions[0]);
    assert_eq!(wallet.amounts_at(other.position()).await, amounts(20, 0));
}

// covers: W-16, W-35
#[tokio::test]
async fn a_command_under_the_same_idempotency_key_is_done_once() {
    let wallet = Wallet::with(100).await;
    let key = [("Idempotency-Key", "order-1")];
    let debit = async |amount| wallet.organization.admin.post_with("/points/debits", &wallet.body(amount), &key).await;
    let first = debit(30).await.expect(201);
    let repeated = join_all((0..10).map(|_| debit(30))).await;
    for again in &repeated {
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.position(), first.position());
    }
    debit(31).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(wallet.amounts_at(first.position()).await, amounts(70, 0));
}

#[tokio::test]
async fn a_hold_reserves_and_a_post_of_a_part_releases_the_rest() {
    let wallet = Wallet::with(100).await;
    let held = wallet.post("/points/holds", &wallet.body(60)).await.expect(201);
    assert_eq!(held.body["status"], "HELD");
    assert_eq!(wallet.amounts_at(held.position()).await, amounts(100, 60));
    wallet.post("/points/debits", &wallet.body(41)).await.refused(409, "INSUFFICIENT_POINTS");

    let hold = format!("/points/holds/{}", held.id("transaction_id"));
    let exceeding = wallet.post(&format!("{hold}/post"), &json!({ "amount": 61 })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(exceeding.body["reason"], "points.exceeds_hold");
    let posted = wallet.post(&format!("{hold}/post"), &json!({ "amount": 25 })).await.expect(200);
    assert_eq!(posted.body["status"], "POSTED");
    assert_eq!(wallet.amounts_at(posted.position()).await, amounts(75, 0));
    wallet.post(&format!("{hold}/post"), &json!({})).await.refused(409, "CONFLICT");
    wallet.post(&format!("{hold}/void"), &json!({})).await.refused(409, "CONFLICT");
    wallet.assert_books_agree(posted.position()).await;
}

#[tokio::test]
async fn a_void_releases_the_whole_hold() {
    let wallet = Wallet::with(100).await;
    let hold = wallet.hold(60).await;
    let voided = wallet.post(&format!("/points/holds/{hold}/void"), &json!({ "reason": "cancelled" })).await.expect(200);
    assert_eq!(voided.body["status"], "VOIDED");
    assert_eq!(wallet.amounts_at(voided.position()).await, amounts(100, 0));
    let refused = wallet.post(&format!("/points/holds/{hold}/post"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "points.hold_not_open");
}

#[tokio::test]
async fn a_hold_times_out_by_itself() {
    let wallet = Wallet::with(100).await;
    let mut body = wallet.body(60);
    body["expires_at"] = json!(Utc::now() + Duration::milliseconds(1_500));
    let held = wallet.post("/points/holds", &body).await.expect(201);
    let transaction = format!("/points/transactions/{}", held.id("transaction_id"));
    let released = eventually("the hold times out", || async {
        let found = wallet.organization.admin.get_at(&transaction, held.position()).await.expect(200);
        (found.body["status"] != "HELD").then_some(found)
    })
    .await;
    assert_eq!(released.body["released_amount"], 60);
    assert_eq!(wallet.amounts_at(released.position()).await, amounts(100, 0));
}

// covers: W-05
#[tokio::test]
async fn a_debit_over_the_balance_is_refused_and_changes_nothing() {
    let wallet = Wallet::with(10).await;
    let before = wallet.organization.domain_events().await;
    wallet.post("/points/debits", &wallet.body(11)).await.refused(409, "INSUFFICIENT_POINTS");
    wallet.post("/points/holds", &wallet.body(11)).await.refused(409, "INSUFFICIENT_POINTS");
    assert_eq!(wallet.organization.domain_events().await, before);
    let spent = wallet.post("/points/debits", &wallet.body(10)).await.expect(201);
    assert_eq!(wallet.amounts_at(spent.position()).await, amounts(0, 0));
}

// covers: W-70
#[tokio::test]
async fn a_transfer_leaves_one_account_and_reaches_the_other_as_one() {
    let wallet = Wallet::with(100).await;
    let friend = wallet.organization.add_member("friend").await;
    let body = |amount: i64| json!({ "program_id": wallet.program, "from_user_id": wallet.user, "to_user_id": friend, "amount": amount });
    let before = wallet.organization.domain_events().await.len();
    wallet.post("/points/transfers", &body(101)).await.refused(409, "INSUFFICIENT_POINTS");
    let sent = wallet.post("/points/transfers", &body(40)).await.expect(201);
    assert_eq!(wallet.amounts_at(sent.position()).await, amounts(60, 0));
    assert_eq!(wallet.amounts_of(&friend, sent.position()).await, amounts(40, 0));

    let events = wallet.organization.domain_events().await;
    let types: Vec<_> = events[before..].iter().map(|event| event["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(types, ["points.transfer_sent", "points.transfer_received"]);
    assert_eq!(events[before + 1]["position"].as_i64(), events[before]["position"].as_i64().map(|position| position + 1));
    wallet.assert_books_agree(sent.position()).await;
}

#[tokio::test]
async fn a_member_sends_their_own_points_and_nobody_elses() {
    let wallet = Wallet::with(100).await;
    let friend = wallet.organization.add_member("friend").await;
    let body = |from: &str, to: &str| json!({ "program_id": wallet.program, "from_user_id": from, "to_user_id": to, "amount": 5 });
    let sent = wallet.organization.member.post("/points/transfers", &body(&wallet.user, &friend)).await.expect(201);
    wallet.organization.member.post("/points/transfers", &body(&friend, &wallet.user)).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(wallet.amounts_of(&friend, sent.position()).await, amounts(5, 0));
    let own = wallet.organization.member.get_at(&format!("/users/{}/points", wallet.user), sent.position()).await.expect(200);
    assert_eq!(own.body["totals"][0]["posted"], 95);
    wallet.organization.member.get(&format!("/users/{friend}/points")).await.refused(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_debit_is_reversed_up_to_its_amount() {
    let wallet = Wallet::with(100).await;
    let debit = wallet.post("/points/debits", &wallet.body(50)).await.expect(201).id("transaction_id");
    let path = format!("/points/transactions/{debit}/reverse");
    let reverse = async |body| wallet.post(&path, &body).await;
    let part = reverse(json!({ "amount": 20 })).await.expect(201);
    assert_eq!(part.id("original_id"), debit);
    assert_eq!(wallet.amounts_at(part.position()).await, amounts(70, 0));
    let over = reverse(json!({ "amount": 31 })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(over.body["reason"], "points.exceeds_original");
    let rest = reverse(json!({})).await.expect(201);
    assert_eq!(wallet.amounts_at(rest.position()).await, amounts(100, 0));
    let done = reverse(json!({})).await.refused(409, "CONFLICT");
    assert_eq!(done.body["reason"], "points.transaction_already_reversed");
    wallet.assert_books_agree(rest.position()).await;
}

#[tokio::test]
async fn a_frozen_account_spends_nothing_until_it_is_unfrozen() {
    let wallet = Wallet::with(100).await;
    let program = json!({ "program_id": wallet.program });
    let frozen = wallet.post(&format!("/points/accounts/{}/freeze", wallet.user), &program).await.expect(200);
    assert_eq!(frozen.body["status"], "FROZEN");
    for path in ["/points/debits", "/points/holds"] {
        let refused = wallet.post(path, &wallet.body(1)).await.refused(409, "CONFLICT");
        assert_eq!(refused.body["reason"], "points.account_frozen");
    }
    let thawed = wallet.post(&format!("/points/accounts/{}/unfreeze", wallet.user), &program).await.expect(200);
    assert_eq!(thawed.body["status"], "ACTIVE");
    wallet.post("/points/debits", &wallet.body(1)).await.expect(201);
}

// covers: W-16, W-31
#[tokio::test]
async fn fifty_concurrent_spends_never_overdraw() {
    let wallet = Wallet::with(100).await;
    let body = wallet.body(7);
    let answers = join_all((0..50).map(|_| wallet.post("/points/debits", &body))).await;
    let (spent, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((spent.len(), refused.len()), (14, 36));
    let position = spent.iter().map(Reply::position).max().unwrap_or_default();
    for answer in refused {
        answer.refused(409, "INSUFFICIENT_POINTS");
    }
    assert_eq!(wallet.amounts_at(position).await, amounts(2, 0));
    wallet.assert_books_agree(position).await;
}

#[tokio::test]
async fn a_command_on_a_version_that_is_past_is_refused() {
    let wallet = Wallet::with(100).await;
    let first = wallet.post("/points/debits", &wallet.body(1)).await.expect(201);
    let seen = first.header("etag").to_owned();
    let on_seen = async || wallet.organization.admin.post_with("/points/debits", &wallet.body(1), &[("If-Match", seen.as_str())]).await;
    let second = on_seen().await.expect(201);
    assert_ne!(second.header("etag"), seen);
    on_seen().await.refused(412, "PRECONDITION_FAILED");
    assert_eq!(wallet.amounts_at(second.position()).await, amounts(98, 0));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_records_nothing() {
    let wallet = Wallet::with(100).await;
    let before = wallet.organization.domain_events().await;
    let told = wallet.post("/points/debits?dry_run=true", &wallet.body(30)).await.expect(200);
    assert_eq!(told.body["status"], "dry_run");
    assert_eq!(told.body["events"][0]["type"], "points.points_debited");
    wallet.post("/points/debits?dry_run=true", &wallet.body(101)).await.refused(409, "INSUFFICIENT_POINTS");
    assert_eq!(wallet.organization.domain_events().await, before);
}

// covers: W-31
#[tokio::test]
async fn a_balance_is_known_as_of_every_position() {
    let wallet = Wallet::with(100).await;
    let after_first = wallet.post("/points/debits", &wallet.body(30)).await.expect(201).position();
    let after_second = wallet.post("/points/debits", &wallet.body(20)).await.expect(201).position();
    for (as_of, posted) in [(after_first - 1, 100), (after_first, 70), (after_second, 50)] {
        let path = format!("/users/{}/points?as_of={as_of}", wallet.user);
        let past = wallet.organization.admin.get_at(&path, after_second).await.expect(200);
        assert_eq!(past.body["totals"][0]["posted"], posted, "as of {as_of}");
    }
    let before = wallet.organization.admin.get(&format!("/users/{}/points?as_of=0", wallet.user)).await.expect(200);
    assert_eq!(before.body["items"], json!([]));
}

#[tokio::test]
async fn a_statement_runs_through_every_change_of_the_balance() {
    let wallet = Wallet::with(100).await;
    wallet.post("/points/debits", &wallet.body(30)).await.expect(201);
    let hold = wallet.hold(20).await;
    wallet.post(&format!("/points/holds/{hold}/post"), &json!({ "amount": 15 })).await.expect(200);
    let last = wallet.post(&format!("/points/transactions/{hold}/reverse"), &json!({ "amount": 5 })).await.expect(201).position();

    let path = format!("/users/{}/points/statement?limit=2", wallet.user);
    let first = wallet.organization.admin.get_at(&path, last).await.expect(200);
    let cursor = first.id("next_cursor");
    let second = wallet.organization.admin.get(&format!("{path}&cursor={cursor}")).await.expect(200);
    let line = |line: &Value| (line["kind"].clone(), line["amount"].clone(), line["balance"].clone());
    let lines: Vec<_> = first.items().iter().chain(second.items()).map(line).collect();
    let expected = [("reversal", 5, 60), ("hold", -15, 55), ("debit", -30, 70), ("credit", 100, 100)];
    assert_eq!(lines, expected.map(|(kind, amount, balance)| (json!(kind), json!(amount), json!(balance))));
}

#[tokio::test]
async fn the_liability_is_what_members_have_by_the_month_of_expiry() {
    let wallet = Wallet::with(100).await;
    let mut expiring = wallet.body(40);
    let expires_at = Utc::now() + Duration::days(100);
    expiring["expires_at"] = json!(expires_at);
    wallet.organization.admin.post_with("/points/credits", &expiring, &[WAIT]).await.expect(200);
    // The points that expire first are spent first.
    let spent = wallet.post("/points/debits", &wallet.body(15)).await.expect(201);
    let liability = wallet.organization.admin.get_at("/points/liability", spent.position()).await.expect(200);
    assert_eq!(liability.body["total"], 125);
    let program = &liability.items()[0];
    assert_eq!((&program["outstanding"], &program["held"]), (&json!(125), &json!(0)));
    let mut buckets: Vec<_> = program["buckets"].as_array().expect("buckets").iter().map(|bucket| bucket["points"].clone()).collect();
    buckets.sort_by_key(Value::as_i64);
    assert_eq!(buckets, [json!(25), json!(100)]);
}
