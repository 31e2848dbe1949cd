//! Nobody is let in before they agreed to what their organization requires (E-278).

use super::{call::Call, gate::Caller, ports::Standings};
use crate::problem::Problem;
use palmares_domain::kernel::Code;

/// Refuses whoever has yet to agree, but for what people may do before: read what they are asked, agree, and
/// use their rights over what is recorded of them.
pub(super) async fn check_consents(call: &Call<'_>, caller: &Caller, standings: &dyn Standings) -> Result<(), Problem> {
    if !call.route.before_consent && standings.owes_consent(caller.home, caller.user).await.map_err(Problem::unavailable)? {
        return Err(Problem::new(Code::AccessDenied, "compliance.consent_required"));
    }
    Ok(())
}
