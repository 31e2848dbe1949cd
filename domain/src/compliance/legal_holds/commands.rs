//! What may be asked of the holds of an organization.

use super::HoldScope;
use crate::kernel::LegalHoldId;
use std::fmt;

#[derive(Clone, Debug)]
pub enum LegalHoldsCommand {
    Place(PlaceHold),
    /// Puts more under a hold; nothing is taken out of it.
    Extend {
        hold_id: LegalHoldId,
        scope: HoldScope,
    },
    Release(LegalHoldId),
}

/// Puts people, or everybody, under a hold.
#[derive(Clone)]
pub struct PlaceHold {
    pub hold_id: LegalHoldId,
    pub scope: HoldScope,
    pub matter: String,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for PlaceHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceHold").field("hold_id", &self.hold_id).field("scope", &self.scope).finish_non_exhaustive()
    }
}
