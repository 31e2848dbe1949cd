//! Opening the address under which a user is reached.

use super::names::EMAIL;
use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::user::User,
    kernel::{Aggregate, EventId, Place, Purpose, UserId},
};
use uuid::Uuid;

/// From the log rather than from a read model, which may be behind: a letter goes to the address that
/// the user has now, or to nobody.
pub(super) const NEWEST_SEALED: &str = "
    SELECT e.event_id, f.ciphertext
    FROM streams s
    JOIN events e ON e.stream_key = s.key
    JOIN event_sealed f ON f.position = e.position AND f.field = 'email'
    WHERE s.organization_id = $1 AND s.type = 'user' AND s.id = $2
    ORDER BY e.version DESC LIMIT 1";

/// The address of a user, as the log has it now; none where there is none, and once the person was erased.
pub async fn address_of(reader: &mut TenantReader<'_>, user: UserId) -> Result<Option<String>, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(NEWEST_SEALED).bind(organization.0).bind(user.0);
    let found: Option<(Uuid, Vec<u8>)> = query.fetch_optional(reader.connection()).await?;
    let Some((event, ciphertext)) = found else { return Ok(None) };
    let place = Place::in_event(organization, (User::TYPE, user.0), EventId(event), EMAIL, user.0, Purpose::Profile);
    let Some(clear) = reader.keys().open(&place, &ciphertext).await? else { return Ok(None) };
    // The cause is left out: it would quote the address.
    let address = serde_json::from_slice(&clear);
    address.map(Some).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("the address of {user} is not a text")))
}
