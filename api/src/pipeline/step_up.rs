//! Rows that ask who is there once more: the proof that they take, and where it stands in a request.

use super::{call::Call, gate::Caller, tokens::TokenKeys};
use crate::problem::Problem;
use palmares_domain::kernel::{Code, OrganizationId, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// The header in which a proof stands.
pub const PROOF_HEADER: &str = "Palmares-Proof";
/// What the proof is sealed for.
pub const STEP_UP: &str = "step_up";

/// That somebody showed a moment ago who they are, in this session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpProof {
    pub organization: OrganizationId,
    pub user: UserId,
    pub session: Option<SessionId>,
}

/// Refuses a row that asks for a proof to whoever has none, or another one's.
pub(super) fn check_proof(call: &Call<'_>, caller: &Caller, keys: &TokenKeys) -> Result<(), Problem> {
    if !call.route.needs_proof {
        return Ok(());
    }
    let proof = call.header(PROOF_HEADER).and_then(|text| keys.unseal::<StepUpProof>(STEP_UP, text.trim()).ok());
    let own = StepUpProof { organization: caller.home, user: caller.user, session: caller.session };
    if proof == Some(own) { Ok(()) } else { Err(Problem::new(Code::AccessDenied, "gate.step_up_required")) }
}
