//! Transfers: points that go from one member to another.

use super::{Wallet, amounts};
use serde_json::json;

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
