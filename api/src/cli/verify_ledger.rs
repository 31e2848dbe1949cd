//! `palmares verify-ledger`: asks whether the books agree, and shows every place where they do not.

use super::{
    output::{Reporter, print_line},
    remote::RemoteArgs,
};
use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct VerifyLedgerArgs {
    #[command(flatten)]
    remote: RemoteArgs,
}

/// What is read of `GET /api/v1/points/trial-balance`.
#[derive(Deserialize)]
struct TrialBalance {
    total: i64,
}

/// What is read of `GET /api/v1/points/reconciliations`.
#[derive(Deserialize)]
struct Reconciliation {
    position: i64,
    accounts: i64,
    mismatching: i64,
    mismatches: Vec<Value>,
}

/// The postings must sum to zero, and streams, balances and trial balance must say the same of each
/// account of the organization. The answer says whether they do.
pub async fn run(args: &VerifyLedgerArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let api = args.remote.client(|tokens| &tokens.organization_admin)?;
    let balance = api.get("points/trial-balance", &[]).await?;
    let TrialBalance { total } = serde_json::from_value(balance).context("the trial balance has another shape than expected")?;
    let report = api.get("points/reconciliations", &[]).await?;
    let report: Reconciliation = serde_json::from_value(report).context("the reconciliation has another shape than expected")?;
    for mismatch in &report.mismatches {
        reporter.say(&format!("mismatch: {mismatch}"), || json!({ "event": "mismatch", "mismatch": mismatch }));
    }
    let Reconciliation { position, accounts, mismatching, .. } = report;
    let agrees = total == 0 && mismatching == 0;
    match reporter {
        Reporter::Terminal if agrees => print_line(&format!("the ledger is whole: {accounts} accounts agree at position {position}, and postings sum to zero")),
        Reporter::Terminal => print_line(&format!("the ledger is NOT whole: postings sum to {total}, {mismatching} of {accounts} accounts disagree")),
        _ => print_line(
            &json!({ "event": "ledger", "agrees": agrees, "position": position, "accounts": accounts, "mismatching": mismatching, "total": total })
                .to_string(),
        ),
    }
    Ok(agrees)
}
