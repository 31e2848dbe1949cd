//! Holds: what is reserved, then spent or released.

use super::{Wallet, amounts};
use crate::support::running::eventually;
use chrono::{Duration, Utc};
use serde_json::json;

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
