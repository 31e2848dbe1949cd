//! Transfers: both halves in one append, so that neither stands alone (W-70).

use super::{account_stream, act, check_active, program, program_stream, reason};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use palmares_domain::{
    kernel::{Admission, Aggregate, ProgramId, TransactionId, UserId},
    points::{
        Account, AccountKey, Portion,
        account::{self, AccountAction, AccountCommand, AccountEvent},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    TransferPoints => permit "points.transfer.create", throttle Write, owner |transfer| Some(transfer.from_user_id);
}

/// Gives points to another member of the same program.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferPoints {
    pub program_id: ProgramId,
    pub from_user_id: UserId,
    pub to_user_id: UserId,
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub amount: i64,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl TransferPoints {
    fn account(&self, user_id: UserId) -> AccountKey {
        AccountKey { program_id: self.program_id, user_id, team_id: None }
    }

    /// What the sending half will take, by expiry: the receiving half gets the same points.
    fn portions(&self, unit: &mut Unit<'_>, out: &AccountCommand) -> Result<Vec<Portion>, Refused> {
        let facts = *unit.facts();
        let events = unit.state::<Account>(out.account.id())?.decide(out, &facts)?;
        let sent = events.into_iter().find_map(|event| match event {
            AccountEvent::TransferSent(sent) => Some(sent.portions),
            _ => None,
        });
        Ok(sent.unwrap_or_default())
    }
}

impl Operation for TransferPoints {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        // A transfer to oneself is refused, which takes the one account only.
        let to = (self.to_user_id != self.from_user_id).then_some(self.to_user_id);
        [Some(self.from_user_id), to].into_iter().flatten().map(|user| account_stream(admission, &self.account(user))).collect()
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let to = (self.to_user_id != self.from_user_id).then_some(self.to_user_id);
        let users = [Some(self.from_user_id), to].into_iter().flatten().map(|user| user_stream(admission, user));
        users.chain([program_stream(admission, self.program_id)]).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let floor = program(unit, self.program_id)?.floor();
        check_active(unit, self.from_user_id, "from_user_id")?;
        check_active(unit, self.to_user_id, "to_user_id")?;
        let transfer_id = TransactionId(unit.fresh_id());
        let reason = reason(self.reason.as_ref())?;
        let out = account::TransferOut { transfer_id, to_user_id: self.to_user_id, amount: self.amount, reason: reason.clone() };
        let account = self.account(self.from_user_id);
        let out = AccountCommand { account, floor, action: AccountAction::TransferOut(out) };
        let portions = self.portions(unit, &out)?;
        unit.run::<Account>(account.id(), &out)?;
        let arrival = account::TransferIn { transfer_id, from_user_id: self.from_user_id, portions, reason };
        act(unit, self.account(self.to_user_id), AccountAction::TransferIn(arrival))?;
        Ok(Answer::new("transaction_id", transfer_id, "RESOLVED"))
    }
}
