//! Resolves every credit that was accepted (W-32).

use super::{System, execute, failed, parse};
use async_trait::async_trait;
use palmares_commands::{
    engine::{Engine, Rejection},
    points::ResolveCredit,
};
use palmares_domain::points::account::AccountEvent;
use palmares_projections::engine::{Delivered, ReactError, Reactor, reactor::command_id};
use std::sync::Arc;

const SYSTEM: System = System { name: "points.resolve_credits", permission: "system.resolve_credits" };

/// Final states of a credit that somebody brought about before us.
const SETTLED_OTHERWISE: [&str; 2] = ["points.credit_voided", "points.credit_unknown"];

pub(super) struct ResolveCredits {
    pub engine: Arc<Engine>,
}

#[async_trait]
impl Reactor for ResolveCredits {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["points.credit_accepted"]
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let parsed: AccountEvent = parse(event)?;
        let account = parsed.account();
        let AccountEvent::CreditAccepted(credit) = parsed else { return Ok(()) };
        let resolve = ResolveCredit { account, transaction_id: credit.transaction_id };
        let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, 0));
        match execute(&self.engine, admission, resolve).await {
            Err(Rejection::Refused(refused)) if SETTLED_OTHERWISE.contains(&refused.reason.as_ref()) => Ok(()),
            outcome => outcome.map(drop).map_err(failed),
        }
    }
}
