//! What an evidence package is asked for: a span, and a choice of what is shown of it.

use super::{query::optional_number, trees::head};
use crate::{
    compliance::audit_trail::{AuditName, ListAuditLogs, Outcome},
    engine::{ReadError, Readers, in_order},
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::Tenant;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which span, and what of it is shown. Every event of the span is in the package, so that it can be verified that none
/// is left out; of those that do not fit the filters of the audit log, metadata and payload are hashes only.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Recorded at this time or later. The event before it is in the package too, and shows that there is none between.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time. The event behind it is in the package too.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    /// The size of a checkpoint that was kept, which the package then proves to be extended.
    #[serde(default, deserialize_with = "optional_number")]
    #[schema(value_type = Option<u64>)]
    pub pinned_size: Option<u64>,
    /// This and all that follow as in `GET /audit-logs`.
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    #[serde(default)]
    pub action: Option<String>,
    #[serde(default)]
    pub event_type: Option<String>,
    #[serde(default)]
    pub audit_name: Option<AuditName>,
    #[serde(default)]
    pub target_id: Option<Uuid>,
    #[serde(default)]
    pub target_type: Option<String>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    #[serde(default)]
    pub on_behalf_of: Option<Uuid>,
    #[serde(default)]
    pub elevation_id: Option<Uuid>,
    #[serde(default)]
    pub session_id: Option<Uuid>,
}

impl Asked {
    /// Whether there is something to export; answers 0, since a package begins where its span does.
    ///
    /// # Errors
    /// A tenant of whom nothing is sealed yet, a span that ends before it begins, and a pinned size that the tree does
    /// not have.
    pub async fn check(&self, readers: &Readers, tenant: Tenant) -> Result<i64, ReadError> {
        in_order(self.from, ("to", self.to))?;
        let head = head(&mut readers.open(tenant, None).await?).await?;
        match self.pinned_size {
            Some(pinned) if pinned > head.size => Err(ReadError::invalid("pinned_size", "out_of_range")),
            _ => Ok(0),
        }
    }

    /// The search whose findings are shown in full; none where everything is.
    pub fn choice(&self) -> Option<ListAuditLogs> {
        let search = ListAuditLogs {
            actor_id: self.actor_id,
            action: self.action.clone(),
            event_type: self.event_type.clone(),
            audit_name: self.audit_name,
            target_id: self.target_id,
            target_type: self.target_type.clone(),
            outcome: self.outcome,
            correlation_id: self.correlation_id,
            on_behalf_of: self.on_behalf_of,
            elevation_id: self.elevation_id,
            session_id: self.session_id,
            ..ListAuditLogs::default()
        };
        (!search.leaves_nothing_out()).then_some(search)
    }
}
