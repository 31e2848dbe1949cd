//! Spending: debits, what gives them back, and what refuses them.

use super::{Wallet, amounts};
use crate::support::running::Reply;
use futures::future::join_all;
use serde_json::json;

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
