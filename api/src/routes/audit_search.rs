//! `GET audit-logs`, and what its search may name.

use super::names::Names;
use palmares_domain::kernel::DataClass;
use palmares_projections::{
    compliance::audit_trail::{self, AuditEntry},
    engine::{Page, Query, ReadError, TenantReader, in_order},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Who did what, when, from where, and what it changed. Newest first; entries are never changed and
/// new ones come before the first page, so the pages of a list fit together.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ListAuditLogs(audit_trail::ListAuditLogs);

impl Query for ListAuditLogs {
    type Output = Page<AuditEntry>;

    const PROJECTIONS: &'static [&'static str] = <audit_trail::ListAuditLogs as Query>::PROJECTIONS;
    const DATA_CLASS: DataClass = <audit_trail::ListAuditLogs as Query>::DATA_CLASS;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<AuditEntry>, ReadError> {
        check_names(&self.0, reader).await?;
        self.0.run(reader).await
    }
}

/// # Errors
/// A type or a permission that is none; a span that ends before it begins.
pub async fn check_names(asked: &audit_trail::ListAuditLogs, reader: &mut TenantReader<'_>) -> Result<(), ReadError> {
    let mut names = Names::known_to(reader);
    names.event_type("event_type", asked.event_type.as_deref()).await?;
    names.stream_type("target_type", asked.target_type.as_deref()).await?;
    names.action("action", asked.action.as_deref()).await?;
    names.check()?;
    in_order(asked.from, ("to", asked.to))
}

#[cfg(test)]
mod tests {
    use crate::routes;
    use palmares_domain::registry::aggregate;
    use palmares_projections::compliance::audit_trail::target_type;

    /// Of no type: it is in a stream of any.
    const EVENT: &str = "{event_id}";

    // covers: E-194
    #[test]
    fn whatever_a_path_names_is_of_a_type_by_which_one_may_ask() {
        for route in routes::all() {
            let named = route.path.split('/').rfind(|part| part.ends_with("_id}") && *part != "{organization_id}");
            match (named, target_type(route.path)) {
                (None | Some(EVENT), found) => assert_eq!(found, None, "{}", route.path),
                (Some(_), found) => assert!(found.and_then(aggregate).is_some(), "{}", route.path),
            }
        }
    }
}
