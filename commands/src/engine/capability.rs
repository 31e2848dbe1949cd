//! Capabilities: each operation with what it needs and how it is counted, written once.

use super::operation::Operation;
use palmares_domain::kernel::{TeamId, UserId};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// The class under which requests are counted (design 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Throttle {
    Read,
    Write,
    /// Many records in one request.
    Bulk,
    /// Long answers.
    Export,
}

/// An operation that can be offered to callers. Routes, policies, documents and the permission
/// matrix derive from it.
pub trait Capability: Operation + DeserializeOwned + ToSchema {
    /// `context.noun.verb`.
    const PERMISSION: &'static str;
    const THROTTLE: Throttle;

    /// The user whose resource it is, where self-service policies apply.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// The team that it is about, where policies ask what the caller is in it.
    fn team(&self) -> Option<TeamId> {
        None
    }
}

/// Declares capabilities, one row each; `owner` and `team` are functions of the operation.
///
/// ```text
/// capabilities! {
///     PlaceHold => permit "points.hold.place", throttle Write;
///     TransferPoints => permit "points.transfer.create", throttle Write, owner |transfer| Some(transfer.from_user_id);
/// }
/// ```
#[macro_export]
macro_rules! capabilities {
    ($( $operation:ty => permit $permission:literal, throttle $throttle:ident $(, owner $owner:expr)? $(, team $team:expr)? ; )*) => {$(
        impl $crate::engine::Capability for $operation {
            const PERMISSION: &'static str = $permission;
            const THROTTLE: $crate::engine::Throttle = $crate::engine::Throttle::$throttle;
            $(
                fn owner(&self) -> Option<palmares_domain::kernel::UserId> {
                    let owner: fn(&Self) -> Option<palmares_domain::kernel::UserId> = $owner;
                    owner(self)
                }
            )?
            $(
                fn team(&self) -> Option<palmares_domain::kernel::TeamId> {
                    let team: fn(&Self) -> Option<palmares_domain::kernel::TeamId> = $team;
                    team(self)
                }
            )?
        }
    )*};
}
