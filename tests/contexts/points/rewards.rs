//! Rewards: what a service outside awards for what somebody did once, however often it says so.

use super::{WAIT, Wallet, amounts};
use crate::support::running::Reply;
use futures::future::join_all;

impl Wallet {
    /// Reports something that `user` did, as a service does that repeats a report until it is answered.
    async fn reward(&self, user: &str, source: &str, points: i64) -> Reply {
        let mut body = self.body(points);
        body["user_id"] = user.into();
        body["source_id"] = source.into();
        self.organization.admin.post_with("/points/credits", &body, &[WAIT]).await.expect(200)
    }
}

// covers: W-27, W-30
#[tokio::test]
async fn everyone_who_completes_a_challenge_is_rewarded_for_it_once() {
    let wallet = Wallet::empty().await;
    let friend = wallet.organization.add_member("friend").await;
    // Both complete it at the same time, and each completion is reported five times.
    let reports = (0..10).map(|number| wallet.reward([&wallet.user, &friend][number % 2], "challenge:10k-steps:week-12", 250));
    let answers = join_all(reports).await;
    for answer in &answers {
        assert_eq!(answer.body["status"], "RESOLVED");
    }
    for number in 0..10 {
        assert_eq!(answers[number].id("transaction_id"), answers[number % 2].id("transaction_id"));
    }
    let position = answers.iter().map(Reply::position).max().unwrap_or_default();
    assert_eq!(wallet.amounts_at(position).await, amounts(250, 0));
    assert_eq!(wallet.amounts_of(&friend, position).await, amounts(250, 0));
    let transaction = format!("/points/transactions/{}", answers[0].id("transaction_id"));
    let transaction = wallet.organization.admin.get_at(&transaction, position).await.expect(200);
    assert_eq!(transaction.body["source_id"], "challenge:10k-steps:week-12");

    let next = wallet.reward(&wallet.user, "challenge:10k-steps:week-13", 250).await;
    assert_eq!(wallet.amounts_at(next.position()).await, amounts(500, 0));
    wallet.assert_books_agree(next.position()).await;
}

// covers: W-29, W-30
#[tokio::test]
async fn an_article_earns_points_the_first_time_it_is_read() {
    let wallet = Wallet::empty().await;
    let read = wallet.reward(&wallet.user, "article:sleep-and-recovery", 5).await;
    assert_eq!(wallet.amounts_at(read.position()).await, amounts(5, 0));
    let before = wallet.organization.domain_events().await;
    // Read again, even where an article is worth more by now.
    let again = wallet.reward(&wallet.user, "article:sleep-and-recovery", 8).await;
    assert_eq!(again.id("transaction_id"), read.id("transaction_id"));
    assert_eq!(wallet.organization.domain_events().await, before);

    let other = wallet.reward(&wallet.user, "article:hydration", 5).await;
    assert_eq!(wallet.amounts_at(other.position()).await, amounts(10, 0));
    let statement =
        wallet.organization.member.get_at(&format!("/users/{}/points/statement", wallet.user), other.position()).await.expect(200);
    assert_eq!(statement.items().len(), 2);
}

// covers: W-29
#[tokio::test]
async fn nobody_rewards_themselves() {
    let wallet = Wallet::empty().await;
    let mut body = wallet.body(5);
    body["source_id"] = "article:hydration".into();
    let before = wallet.organization.domain_events().await;
    wallet.organization.member.post("/points/credits", &body).await.refused(403, "ACCESS_DENIED");
    assert_eq!(wallet.organization.domain_events().await, before);
}
