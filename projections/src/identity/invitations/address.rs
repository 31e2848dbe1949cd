//! Opening the address to which an invitation went.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::invitation::Invitation,
    kernel::{Aggregate, EventId, InvitationId, Place, Purpose},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const SEALED: &str = "
    SELECT position, ciphertext FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = 'email'";

/// An invitation is sent again to where it went first.
pub(super) const FIRST_SEALED: &str = "
    SELECT e.event_id, f.subject_id, f.ciphertext
    FROM streams s
    JOIN events e ON e.stream_key = s.key AND e.version = 1
    JOIN event_sealed f ON f.position = e.position AND f.field = 'email'
    WHERE s.organization_id = $1 AND s.type = 'invitation' AND s.id = $2";

/// Where the address of an invitation stands.
pub(super) struct Sent {
    pub invitation: Uuid,
    pub user: Uuid,
    pub position: i64,
    pub event: Uuid,
}

/// The address to which an invitation went, as the log has it now; none where there is no such
/// invitation, and once the person was erased.
pub async fn invited_address(reader: &mut TenantReader<'_>, invitation: InvitationId) -> Result<Option<String>, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(FIRST_SEALED).bind(organization.0).bind(invitation.0);
    let found: Option<(Uuid, Uuid, Vec<u8>)> = query.fetch_optional(reader.connection()).await?;
    let Some((event, user, ciphertext)) = found else { return Ok(None) };
    let place = place(reader, &Sent { invitation: invitation.0, user, position: 0, event });
    let clear = reader.keys().open(&place, &ciphertext).await?;
    clear.map(|clear| text(invitation.0, &clear)).transpose()
}

/// The addresses of invitations, by invitation, as far as they can still be read.
pub(super) async fn open(reader: &mut TenantReader<'_>, sent: &[Sent]) -> Result<BTreeMap<Uuid, String>, ReadError> {
    let positions: Vec<i64> = sent.iter().map(|sent| sent.position).collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(reader.organization().0);
    let sealed: Vec<(i64, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let by_position: BTreeMap<i64, &Sent> = sent.iter().map(|sent| (sent.position, sent)).collect();
    let found: Vec<(&Sent, &[u8])> =
        sealed.iter().filter_map(|(position, ciphertext)| Some((*by_position.get(position)?, ciphertext.as_slice()))).collect();
    let items: Vec<(Place, &[u8])> = found.iter().map(|(sent, ciphertext)| (place(reader, sent), *ciphertext)).collect();
    let opened = reader.keys().open_many(&items).await?;
    let opened = found.iter().zip(opened).filter_map(|((sent, _), clear)| Some((sent.invitation, clear?)));
    opened.map(|(invitation, clear)| Ok((invitation, text(invitation, &clear)?))).collect()
}

fn place(reader: &TenantReader<'_>, sent: &Sent) -> Place {
    let stream = (Invitation::TYPE, sent.invitation);
    Place::in_event(reader.organization(), stream, EventId(sent.event), "email", sent.user, Purpose::Profile)
}

/// The cause is left out: it would quote the address.
fn text(invitation: Uuid, clear: &[u8]) -> Result<String, ReadError> {
    serde_json::from_slice(clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("the address of {invitation} is not a text")))
}
