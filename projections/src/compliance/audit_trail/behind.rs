//! The entries behind a position, in the order of the log: for whoever follows it.

use super::entry::{AuditEntry, Row, columns, entries};
use crate::engine::{ReadError, TenantReader};

pub(super) const BEHIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM (SELECT * FROM compliance_audit_log WHERE organization_id = $1 AND position > $2 ORDER BY position LIMIT $3) p
      JOIN events e ON e.position = p.position ORDER BY p.position"
);

/// Some rows, before anything is opened or folded for them.
pub(in crate::compliance) struct Rows(Vec<Row>);

impl Rows {
    /// Position and number of the last one.
    pub fn last(&self) -> Option<(i64, i64)> {
        self.0.last().map(|row| (row.position, row.number))
    }

    /// The entries of which event and permission are wanted.
    pub async fn entries(
        mut self,
        reader: &mut TenantReader<'_>,
        wanted: impl Fn(&str, Option<&str>) -> bool,
    ) -> Result<Vec<AuditEntry>, ReadError> {
        self.0.retain(|row| wanted(&row.event_type, row.action.as_deref()));
        entries(reader, self.0).await
    }
}

/// At most `limit` rows behind a position.
pub(in crate::compliance) async fn rows_behind(reader: &mut TenantReader<'_>, position: i64, limit: i64) -> Result<Rows, ReadError> {
    let query = sqlx::query_as(BEHIND).persistent(false).bind(reader.organization().0).bind(position).bind(limit);
    Ok(Rows(query.fetch_all(reader.connection()).await?))
}
