//! What may be asked of a domain.

use super::{AutoJoin, DomainName};
use crate::kernel::OrganizationId;

#[derive(Clone, Debug)]
pub enum DomainCommand {
    Claim {
        organization_id: OrganizationId,
        domain: DomainName,
    },
    /// These TXT records were found under the name of the challenge.
    Verify {
        records: Vec<String>,
    },
    SetAutoJoin(AutoJoin),
    Release,
}
