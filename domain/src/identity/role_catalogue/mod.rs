//! The roles that one organization composed for itself (T-26), in one stream: its version names the
//! state of all of them at once, and a decision can be replayed by it.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{CustomRole, GRANTS_MAX, RoleCatalogue};
pub use commands::{ComposeRole, RoleCatalogueCommand};
pub use errors::RoleCatalogueError;
pub use events::{PermissionsGranted, PermissionsRevoked, RoleCatalogueEvent, RoleComposed, RoleRenamed, RoleRetired};
