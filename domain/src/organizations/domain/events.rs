//! What happens to a domain.

use super::{AutoJoin, DomainName};
use crate::{events, kernel::OrganizationId};

events! {
    /// What happens to a domain of an organization. Its name is public.
    pub enum DomainEvent {
        DomainClaimed = "organizations.domain_claimed" v 1 {
            organization_id: OrganizationId = internal,
            domain: DomainName = internal,
        },
        /// The record that only the domain's holder can publish was found.
        DomainVerified = "organizations.domain_verified" v 1 {
            organization_id: OrganizationId = internal,
            domain: DomainName = internal,
        },
        AutoJoinSet = "organizations.auto_join_set" v 1 {
            organization_id: OrganizationId = internal,
            domain: DomainName = internal,
            mode: AutoJoin = internal,
        },
        /// It may be claimed again, by anyone.
        DomainReleased = "organizations.domain_released" v 1 {
            organization_id: OrganizationId = internal,
            domain: DomainName = internal,
        }
    }
}
