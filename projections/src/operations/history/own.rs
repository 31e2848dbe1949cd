//! What is recorded of one person, for that person: every event of the streams that are theirs, and
//! every event that names them, wherever it stands.
//!
//! Theirs are the streams under their own id (the user, credential, sessions, activity log, assigned
//! experts, consents, access record), their points accounts, their invitations and the elevations that
//! they asked for. Who is named by which event the index says, which is made from the types of the fields;
//! so who read what is theirs is in it, and the letters that they got. Personal fields of which they
//! are the subject are opened, nobody else's, and not what secures the account (restricted fields that are
//! kept for security): a stolen session shall not become a stolen password or second factor. Addresses and names
//! of devices are theirs.

use super::event::HistoryEvent;
use crate::{
    compliance::{audit_trail, subject_index},
    engine::{ReadError, Readers, TenantReader},
    identity::{elevations, invitations},
};
use futures::{Stream, stream};
use palmares_domain::{
    kernel::{DataClass, Place, Purpose, Tenant, UserId},
    registry::event_spec,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The ids of the streams that are somebody's under another id than their own.
pub(super) const STREAMS: &str = "
    SELECT account_id FROM points_balances WHERE organization_id = $1 AND user_id = $2
    UNION SELECT invitation_id FROM identity_invitations WHERE organization_id = $1 AND user_id = $2
    UNION SELECT elevation_id FROM identity_elevations WHERE organization_id = $1 AND requested_by = $2";

pub(super) const PAGE: &str = "
    WITH page AS MATERIALIZED (
        (SELECT position FROM compliance_audit_log
         WHERE organization_id = $1 AND position > $2 AND position <= $3 AND stream_id = ANY($4)
         ORDER BY position LIMIT $5)
        UNION
        (SELECT position FROM compliance_subject_index
         WHERE organization_id = $1 AND position > $2 AND position <= $3 AND subject_id = $6
         ORDER BY position LIMIT $5)
        ORDER BY position LIMIT $5)
    SELECT e.position, e.event_id, e.event_type, e.schema_version, a.stream_type, a.stream_id, e.version, e.organization_id,
           e.actor_id, e.recorded_at, e.effective_at, e.metadata, e.payload
    FROM page p JOIN compliance_audit_log a ON a.organization_id = $1 AND a.position = p.position JOIN events e ON e.position = p.position
    ORDER BY e.position";

/// Up to where everything is known that says what belongs to it.
pub(super) const OWN_END: &str = "SELECT min(position) FROM checkpoints WHERE name = ANY($1) AND active";

const KNOWN_BY: &[&str] = &[audit_trail::PROJECTION, subject_index::PROJECTION];

/// What has to have reached a position before an export of somebody is complete up to there: the indexes, and
/// what says which streams are theirs.
pub const OWN_PROJECTIONS: &[&str] =
    &[audit_trail::PROJECTION, subject_index::PROJECTION, "points_balances", invitations::PROJECTION, elevations::PROJECTION];

pub(super) const SEALED: &str = "
    SELECT position, field, purpose, ciphertext FROM event_sealed
    WHERE position = ANY($1) AND organization_id = $2 AND subject_id = $3";

const PAGE_EVENTS: i64 = 200;

/// An event, with what of it is personal in clear.
#[derive(Debug, Serialize)]
pub struct OwnEvent {
    #[serde(flatten)]
    pub event: HistoryEvent,
    /// By the names of the fields, whose digests stand in the payload.
    pub personal: BTreeMap<String, Box<RawValue>>,
    /// How many entries of lists are about others, and not in the payload (GDPR, article 15, paragraph 4).
    #[serde(skip_serializing_if = "is_zero")]
    pub others: usize,
    /// What of it is there and cannot be read, because somebody wrote to the database past the application.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Takes out of every list that names this person the entries that name others instead, and says how many.
fn without_others(value: &mut Value, user: Uuid) -> usize {
    match value {
        Value::Array(entries) if entries.iter().any(|entry| names(entry, Some(user))) => {
            let before = entries.len();
            entries.retain(|entry| names(entry, Some(user)) || !names(entry, None));
            let inside: usize = entries.iter_mut().map(|entry| without_others(entry, user)).sum();
            before - entries.len() + inside
        }
        Value::Array(entries) => entries.iter_mut().map(|entry| without_others(entry, user)).sum(),
        Value::Object(members) => members.values_mut().map(|member| without_others(member, user)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Whether a value holds this id, or any.
fn names(value: &Value, id: Option<Uuid>) -> bool {
    match value {
        Value::String(text) => Uuid::parse_str(text).is_ok_and(|found| id.is_none_or(|id| id == found)),
        Value::Array(entries) => entries.iter().any(|entry| names(entry, id)),
        Value::Object(members) => members.values().any(|member| names(member, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Where an export stands.
struct OwnExport {
    readers: Readers,
    tenant: Tenant,
    user: UserId,
    /// Everything up to here was exported.
    after: i64,
    /// The streams and the last position that belong to it; unknown before the first page.
    scope: Option<(Vec<Uuid>, i64)>,
}

impl OwnExport {
    /// The next page; none behind the last event.
    async fn next(mut self) -> Result<Option<(Vec<OwnEvent>, Self)>, ReadError> {
        let mut reader = self.readers.open(self.tenant, None).await?;
        let (streams, end) = match self.scope.take() {
            Some(scope) => scope,
            None => self.scope_of(&mut reader).await?,
        };
        let query = sqlx::query_as(PAGE).persistent(false).bind(self.tenant.organization().0).bind(self.after).bind(end);
        let events: Vec<HistoryEvent> = query.bind(&streams).bind(PAGE_EVENTS).bind(self.user.0).fetch_all(reader.connection()).await?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(None) };
        let mut opened = opened(&mut reader, self.user, &events).await?;
        (self.after, self.scope) = (last, Some((streams, end)));
        let mut own = Vec::with_capacity(events.len());
        for mut event in events {
            let personal = opened.remove(&event.position).unwrap_or_default();
            let others = cut_to(&mut event, self.user)?;
            let unreadable = reader.unreadable(event.id.0).into_iter().collect();
            own.push(OwnEvent { event, personal, others, unreadable });
        }
        Ok(Some((own, self)))
    }

    async fn scope_of(&self, reader: &mut TenantReader<'_>) -> Result<(Vec<Uuid>, i64), ReadError> {
        // What is recorded from here on is not in it, the record of this export included.
        let known: Option<i64> = sqlx::query_scalar(OWN_END).bind(KNOWN_BY).fetch_one(reader.connection()).await?;
        let query = sqlx::query_scalar(STREAMS).bind(self.tenant.organization().0).bind(self.user.0);
        let mut streams: Vec<Uuid> = query.fetch_all(reader.connection()).await?;
        streams.push(self.user.0);
        Ok((streams, known.unwrap_or(0)))
    }
}

/// Leaves in an event's lists what is about one person; answers how many entries were others'.
fn cut_to(event: &mut HistoryEvent, user: UserId) -> Result<usize, ReadError> {
    let malformed = |error: serde_json::Error| ReadError::Unavailable(error.into());
    let mut payload: Value = serde_json::from_str(event.payload.get()).map_err(malformed)?;
    let others = without_others(&mut payload, user.0);
    if others > 0 {
        event.payload = serde_json::value::to_raw_value(&payload).map_err(malformed)?;
    }
    Ok(others)
}

/// The personal fields of some events that are this person's, by position and name.
async fn opened(
    reader: &mut TenantReader<'_>,
    user: UserId,
    events: &[HistoryEvent],
) -> Result<BTreeMap<i64, BTreeMap<String, Box<RawValue>>>, ReadError> {
    let organization = reader.organization();
    let of: BTreeMap<i64, &HistoryEvent> = events.iter().map(|event| (event.position, event)).collect();
    let positions: Vec<i64> = of.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0).bind(user.0);
    let sealed: Vec<(i64, String, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let (mut fields, mut items) = (Vec::new(), Vec::new());
    for (position, field, purpose, ciphertext) in &sealed {
        let (Some(event), Some(purpose)) = (of.get(position), Purpose::parse(purpose)) else { continue };
        if is_told(&event.event_type, event.schema_version, field, purpose) {
            let stream = (event.stream.stream_type.as_str(), event.stream.id);
            items.push((Place::in_event(organization, stream, event.id, field, user.0, purpose), ciphertext.as_slice()));
            fields.push((*position, field));
        }
    }
    let mut opened: BTreeMap<i64, BTreeMap<String, Box<RawValue>>> = BTreeMap::new();
    for ((position, field), clear) in fields.into_iter().zip(reader.keys().open_many(&items).await?) {
        // The key was destroyed: the digest is all there is.
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the value.
        let malformed = || ReadError::Unavailable(anyhow::anyhow!("the sealed field {field} at {position} is no JSON"));
        let value = serde_json::from_slice(&clear).map_err(|_| malformed())?;
        opened.entry(position).or_default().insert(field.clone(), value);
    }
    Ok(opened)
}

/// Whether whose personal field it is is told it: all but what secures the account.
fn is_told(event_type: &str, schema_version: i16, field: &str, purpose: Purpose) -> bool {
    let spec = u16::try_from(schema_version).ok().and_then(|version| event_spec(event_type, version));
    let class = spec.and_then(|spec| spec.fields.iter().find(|known| known.name == field)).map(|known| known.class);
    purpose != Purpose::Security || class.is_some_and(|class| class < DataClass::Restricted)
}

/// Every event of this person, oldest first, page by page, up to what is known when it starts.
pub fn own_events(readers: Readers, tenant: Tenant, user: UserId) -> impl Stream<Item = Result<Vec<OwnEvent>, ReadError>> + Send + 'static {
    let export = OwnExport { readers, tenant, user, after: 0, scope: None };
    stream::try_unfold(export, OwnExport::next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::registry::event_catalogue;
    use serde_json::json;

    #[test]
    fn of_a_list_that_names_somebody_they_see_what_is_theirs() {
        let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cut = |mut payload: Value| (without_others(&mut payload, ann), payload);
        let scope = |subjects: &[Uuid]| json!({ "scope": { "subjects": subjects, "span": null }, "placed_by": bob });
        assert_eq!(cut(scope(&[bob, ann])), (1, scope(&[ann])));
        assert_eq!(cut(scope(&[bob])), (0, scope(&[bob])), "a list that does not name them is not theirs to be cut");
        let items = json!([{ "user_id": ann, "role": "member" }, { "user_id": bob, "role": "member" }]);
        assert_eq!(cut(items), (1, json!([{ "user_id": ann, "role": "member" }])));
        assert_eq!(cut(json!(["points", ann, 7])), (0, json!(["points", ann, 7])), "what names nobody stays");
    }

    /// Of every personal field of every event: whose it is is told it, unless it secures the account.
    #[test]
    fn everything_personal_is_told_but_what_secures_the_account() {
        let mut kept_back = Vec::new();
        for event in event_catalogue() {
            for field in event.fields {
                let Some((_, purpose)) = field.personal else { continue };
                if !is_told(event.name, i16::try_from(event.schema_version).unwrap(), field.name, purpose) {
                    assert_eq!((purpose, field.class), (Purpose::Security, DataClass::Restricted));
                    kept_back.push(format!("{} {}", event.name, field.name));
                }
            }
        }
        assert!(kept_back.contains(&"identity.password_set hash".to_owned()), "{kept_back:?}");
        for told in ["device_name", "address", "email", "phone"] {
            assert!(!kept_back.iter().any(|kept| kept.ends_with(&format!(" {told}"))), "{kept_back:?}");
        }
        assert!(!is_told("of.another_build", 1, "secret", Purpose::Security), "what is not known is kept back");
        assert!(is_told("of.another_build", 1, "name", Purpose::Profile));
    }
}
