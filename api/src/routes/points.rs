//! Points: programs, transactions, what members have, and whether the books agree.

use crate::{
    pipeline::{
        Route, Services, Throttle,
        command::Prepare,
        route::{Settled, Verb},
    },
    problem::Problem,
};
use futures::future::LocalBoxFuture;
use palmares_commands::points::{
    AddRule, CreateCredit, CreateDebit, DefineProgram, FreezeAccount, NeedsAccount, PlaceHold, PostHold, ReverseTransaction,
    TransferPoints, UnfreezeAccount, VoidHold,
};
use palmares_domain::kernel::{Code, Tenant};
use palmares_projections::{
    engine::{Query, ReadError},
    points::{
        balances::UserPoints,
        ledger::TrialBalance,
        lots::{Liability, UserLots},
        programs::{GetProgram, ListPrograms},
        reconciliations::ReconcilePoints,
        transactions::{GetTransaction, TransactionState, UserStatement, account_of_transaction, account_version_at},
    },
};
use serde_json::{Map, Value};
use std::time::Duration;

/// Where transactions of every kind are read.
const TRANSACTIONS: &str = "/points/transactions";

pub const ROUTES: &[Route] = &[
    Route::post::<DefineProgram>("/points/programs").creating("/points/programs", "id"),
    Route::post::<AddRule>("/points/programs/{program_id}/rules"),
    Route::post::<CreateCredit>("/points/credits").starting(TRANSACTIONS, "transaction_id").settling(credit_settled),
    Route::post::<CreateDebit>("/points/debits").creating(TRANSACTIONS, "transaction_id"),
    Route::post::<PlaceHold>("/points/holds").creating(TRANSACTIONS, "transaction_id"),
    Route::prepared::<PostHold, AccountLookedUp>(Verb::Post, "/points/holds/{hold_id}/post"),
    Route::prepared::<VoidHold, AccountLookedUp>(Verb::Post, "/points/holds/{hold_id}/void"),
    Route::post::<TransferPoints>("/points/transfers").creating(TRANSACTIONS, "transaction_id"),
    Route::prepared::<ReverseTransaction, AccountLookedUp>(Verb::Post, "/points/transactions/{transaction_id}/reverse")
        .creating(TRANSACTIONS, "transaction_id"),
    Route::post::<FreezeAccount>("/points/accounts/{user_id}/freeze"),
    Route::post::<UnfreezeAccount>("/points/accounts/{user_id}/unfreeze"),
    Route::get::<ListPrograms>("/points/programs", "points.program.read"),
    Route::get::<GetProgram>("/points/programs/{program_id}", "points.program.read"),
    Route::get::<GetTransaction>("/points/transactions/{transaction_id}", "points.transaction.read"),
    Route::get::<UserPoints>("/users/{user_id}/points", "points.balance.read"),
    Route::get::<UserLots>("/users/{user_id}/points/lots", "points.balance.read"),
    Route::get::<UserStatement>("/users/{user_id}/points/statement", "points.statement.read"),
    Route::get::<Liability>("/points/liability", "points.liability.read"),
    Route::get::<TrialBalance>("/points/trial-balance", "points.trial_balance.read"),
    // Folds every account of the organization.
    Route::get::<ReconcilePoints>("/points/reconciliations", "points.reconciliation.read").throttled(Throttle::Export),
];

/// Looks up the account of the transaction that a command names, because its stream is the account's.
struct AccountLookedUp;

impl<O: NeedsAccount> Prepare<O> for AccountLookedUp {
    type Shown = ();

    async fn prepare(mut operation: O, tenant: Tenant, services: &Services) -> Result<(O, ()), Problem> {
        let mut reader = services.readers.open(tenant, None).await?;
        // Of a transaction that is not there the operation itself says so.
        if let Some(account) = account_of_transaction(&mut reader, operation.transaction()).await? {
            operation.resolve(account);
        }
        Ok((operation, ()))
    }
}

/// What became of a credit, once it is no longer pending. The read model follows the log closely, so
/// what the log holds now is waited for.
fn credit_settled<'a>(
    services: &'a Services,
    tenant: Tenant,
    answer: &'a Map<String, Value>,
    patience: Duration,
) -> LocalBoxFuture<'a, Result<Option<Settled>, Problem>> {
    Box::pin(async move {
        let id = answer.get("transaction_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let Some(transaction_id) = id else { return Ok(None) };
        let position = services.progress.reach(GetTransaction::PROJECTIONS, services.head.known(), patience).await;
        let position = match position {
            Err(problem) if problem.code == Code::ProjectionBehind => return Ok(None),
            position => position?,
        };
        let mut reader = services.readers.open(tenant, None).await?;
        let transaction = match (GetTransaction { transaction_id }).run(&mut reader).await {
            Err(ReadError::NotFound) => return Ok(None),
            transaction => transaction?,
        };
        if transaction.status == TransactionState::Pending {
            return Ok(None);
        }
        // The row may be newer than the position that was waited for.
        let position = position.max(transaction.resolved_position.unwrap_or(0));
        let version = account_version_at(&mut reader, transaction.account_id, position).await?;
        let mut answer = answer.clone();
        answer.insert("status".to_owned(), transaction.status.name().into());
        Ok(Some(Settled { answer, position, version }))
    })
}
