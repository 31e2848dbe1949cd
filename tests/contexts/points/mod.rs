//! Points: what is earned, reserved, spent, moved and taken back.

mod books;
mod credits;
mod earnings;
mod holds;
mod reconciliation;
mod rewards;
mod spending;
mod transfers;

use crate::support::running::{Organization, Reply, fresh_organization};
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
