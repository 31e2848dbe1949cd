//! In which streams somebody was named, such as those of the teams that took them in: what became of it since,
//! the streams say.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::kernel::UserId;
use uuid::Uuid;

pub(super) const NAMING: &str = "
    SELECT DISTINCT p.stream_id
    FROM compliance_audit_log p JOIN events e ON e.position = p.position
    WHERE p.organization_id = $1 AND p.event_type = $2 AND p.position <= $3
      AND convert_from(e.payload, 'UTF8')::jsonb ->> $4::text = $5::text
    ORDER BY p.stream_id";

/// The streams in which an event of this type, up to a position, names somebody in this field. What is waited for
/// before is the projection [`super::PROJECTION`].
pub async fn streams_naming(
    reader: &mut TenantReader<'_>,
    (event_type, field): (&str, &str),
    user: UserId,
    until: i64,
) -> Result<Vec<Uuid>, ReadError> {
    let query = sqlx::query_scalar(NAMING).persistent(false).bind(reader.organization().0).bind(event_type).bind(until);
    Ok(query.bind(field).bind(user.to_string()).fetch_all(reader.connection()).await?)
}
