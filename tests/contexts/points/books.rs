//! The books: balances of any time, statements, and what is owed to members.

use super::{WAIT, Wallet};
use chrono::{Duration, Utc};
use serde_json::{Value, json};

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
