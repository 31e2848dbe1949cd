//! Reconciliation: a balance that is not the sum of its transactions is named, to the point.

use super::{Amounts, Wallet, amounts};
use crate::support::running::{PALMARES, eventually, running};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::process::Command;
use uuid::Uuid;

/// What somebody does who reaches the database past the application. A rebuild would repair it, and
/// may come from another test at any time, so both copies of a read model are changed.
async fn tamper(statements: &[String]) {
    let mut connection = PgConnection::connect(&running().descriptor.database_url).await.expect("a connection");
    sqlx::raw_sql("SET ROLE palmares_projector").execute(&mut connection).await.expect("the role that writes read models");
    for statement in statements {
        sqlx::raw_sql(statement).execute(&mut connection).await.expect("the rows are changed");
    }
}

/// Tampers until the report has what is looked for: a rebuild may undo it in between.
async fn reported(wallet: &Wallet, position: i64, statements: &[String], mismatching: i64) -> Value {
    eventually("the mismatches are reported", || async {
        tamper(statements).await;
        let report = wallet.organization.admin.get_at("/points/reconciliations", position).await.expect(200).body;
        (report["mismatching"] == mismatching).then_some(report)
    })
    .await
}

/// `palmares verify-ledger`: whether it is content, and its lines.
async fn verify_ledger(wallet: &Wallet) -> (bool, Vec<Value>) {
    let mut command = Command::new(PALMARES);
    command.args(["verify-ledger", "--url", &running().descriptor.base_url, "--token", wallet.organization.admin.token()]);
    let output = tokio::task::spawn_blocking(move || command.output().expect("verify-ledger runs")).await.expect("it ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.success(), text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into())).collect())
}

/// Sets a column of the account in both copies of a read model.
fn set(read_model: &str, change: &str, account: &str) -> Vec<String> {
    let account: Uuid = account.parse().expect("an account id");
    ["a", "b"].map(|slot| format!("UPDATE {read_model}_{slot} SET {change} WHERE account_id = '{account}'")).into()
}

fn mismatch_of<'a>(report: &'a Value, user: &str) -> &'a Value {
    let mismatches = report["mismatches"].as_array().expect("mismatches");
    mismatches.iter().find(|mismatch| mismatch["user_id"] == user).unwrap_or_else(|| panic!("nothing of {user} in {report}"))
}

// covers: T-34
#[tokio::test]
async fn a_tampered_balance_is_reported_with_its_account_and_the_exact_amounts() {
    let wallet = Wallet::with(100).await;
    let friend = wallet.organization.add_member("friend").await;
    let transfer = json!({ "program_id": wallet.program, "from_user_id": wallet.user, "to_user_id": friend, "amount": 30 });
    wallet.post("/points/transfers", &transfer).await.expect(201);
    let position = wallet.post("/points/holds", &wallet.body(20)).await.expect(201).position();
    assert_eq!(wallet.amounts_at(position).await, amounts(70, 20));
    wallet.assert_books_agree(position).await;
    assert!(verify_ledger(&wallet).await.0);

    let account = async |user: &str| {
        let points = wallet.organization.admin.get_at(&format!("/users/{user}/points"), position).await.expect(200);
        points.items()[0]["account_id"].as_str().expect("an account id").to_owned()
    };
    let (own, theirs) = (account(&wallet.user).await, account(&friend).await);
    let balance = set("points_balances", "posted = 1070, held = 0", &own);
    let ledger = set("points_ledger_members", "credit = debit + 29", &theirs);

    let report = reported(&wallet, position, &[balance.clone(), ledger.clone()].concat(), 2).await;
    assert_eq!((&report["accounts"], &report["matching"]), (&json!(2), &json!(0)));
    let expected = |account: &str, user: &str, fold: [i64; 2], balance: [i64; 2], ledger: i64| {
        let amounts = |[posted, held]: [i64; 2]| json!({ "posted": posted, "held": held, "pending": 0 });
        json!({ "account_id": account, "program_id": wallet.program, "user_id": user, "team_id": null, "position": report["position"],
            "fold": amounts(fold), "balance": amounts(balance), "ledger": ledger })
    };
    assert_eq!(*mismatch_of(&report, &wallet.user), expected(&own, &wallet.user, [70, 20], [1070, 0], 70));
    assert_eq!(*mismatch_of(&report, &friend), expected(&theirs, &friend, [30, 0], [30, 0], 29));
    // What a member has is decided from the stream, so the false balance buys nothing.
    assert_eq!(wallet.amounts_at(position).await, Amounts { posted: 1070, held: 0, pending: 0, available: 1070 });
    wallet.post("/points/debits", &wallet.body(51)).await.refused(409, "INSUFFICIENT_POINTS");

    let (is_whole, lines) = verify_ledger(&wallet).await;
    let told = lines.iter().filter(|line| line["event"] == "mismatch").map(|line| &line["mismatch"]);
    let mut told: Vec<_> =
        told.map(|mismatch| (mismatch["account_id"].clone(), mismatch["fold"].clone(), mismatch["balance"].clone())).collect();
    let mut shown: Vec<_> = [&own, &theirs]
        .map(|account| {
            let mismatch =
                report["mismatches"].as_array().and_then(|all| all.iter().find(|one| one["account_id"] == **account)).expect("a mismatch");
            (mismatch["account_id"].clone(), mismatch["fold"].clone(), mismatch["balance"].clone())
        })
        .into();
    told.sort_by_key(|(account, ..)| account.to_string());
    shown.sort_by_key(|(account, ..)| account.to_string());
    assert!(!is_whole);
    assert_eq!(told, shown);

    let repaired =
        [set("points_balances", "posted = 70, held = 20", &own), set("points_ledger_members", "credit = debit + 30", &theirs)].concat();
    let report = reported(&wallet, position, &repaired, 0).await;
    assert_eq!(report["mismatches"], json!([]));
    assert!(verify_ledger(&wallet).await.0);
}
