//! Credits: what is awarded, and once.

use super::{WAIT, Wallet, amounts};
use crate::support::running::eventually;
use futures::future::join_all;

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

// covers: W-36
#[tokio::test]
async fn the_answer_to_who_waits_names_the_version_at_which_the_credit_is_resolved() {
    let wallet = Wallet::empty().await;
    let resolved = wallet.credit(25).await;
    let debit_on = async |seen: &str| wallet.organization.admin.post_with("/points/debits", &wallet.body(5), &[("If-Match", seen)]).await;
    // Accepted, then resolved: a command on what was answered is not overtaken by the credit itself.
    assert_eq!(resolved.header("etag"), "\"2\"");
    let spent = debit_on(resolved.header("etag")).await.expect(201);
    assert_eq!(wallet.amounts_at(spent.position()).await, amounts(20, 0));
    debit_on(resolved.header("etag")).await.refused(412, "PRECONDITION_FAILED");

    // The position is one at which the credit is resolved.
    let path = format!("/users/{}/points?as_of={}", wallet.user, resolved.position());
    let then = wallet.organization.admin.get_at(&path, resolved.position()).await.expect(200);
    assert_eq!(then.body["totals"][0]["posted"], 25);

    let next = wallet.credit(10).await;
    let spent = debit_on(next.header("etag")).await.expect(201);
    assert_eq!(wallet.amounts_at(spent.position()).await, amounts(25, 0));
}

// covers: W-35, W-36
#[tokio::test]
async fn who_asks_again_for_a_reward_learns_the_version_of_the_account_as_it_is_now() {
    let wallet = Wallet::empty().await;
    let mut body = wallet.body(25);
    body["source_id"] = "article-7".into();
    let reward = async || wallet.organization.admin.post_with("/points/credits", &body, &[WAIT]).await.expect(200);
    let first = reward().await;
    let debit = wallet.post("/points/debits", &wallet.body(5)).await.expect(201);
    let again = reward().await;
    assert_eq!(again.id("transaction_id"), first.id("transaction_id"));
    assert_eq!(again.header("etag"), debit.header("etag"));
    assert!(again.position() >= debit.position());
}
