//! Opening who signs up.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::signup::Signup,
    kernel::{Aggregate, EventId, Place, Purpose},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const SEALED: &str = "
    SELECT position, field, ciphertext
    FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = ANY($3)";

/// Where a number is given, it is with the request: the second event of the stream.
pub(super) const NUMBERS: &str = "
    SELECT streams.id, events.position, events.event_id
    FROM streams JOIN events ON events.stream_key = streams.key AND events.version = 2
    WHERE streams.organization_id = $1 AND streams.type = $2 AND streams.id = ANY($3) AND events.event_type = $4";

const PHONE_GIVEN: &str = "identity.signup_phone_given";
const PHONE: &str = "phone";
const DISPLAY_NAME: &str = "display_name";
const EMAIL: &str = "email";

/// Where a sign-up says who somebody is.
pub(super) struct Asked {
    pub user: Uuid,
    pub position: i64,
    pub event: Uuid,
}

/// Who somebody is, as far as it can still be read.
#[derive(Default)]
pub(super) struct Person {
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub phone: Option<String>,
}

/// The people of sign-ups, by their user's id.
pub(super) async fn open(reader: &mut TenantReader<'_>, mut asked: Vec<Asked>) -> Result<BTreeMap<Uuid, Person>, ReadError> {
    let organization = reader.organization();
    let users: Vec<Uuid> = asked.iter().map(|asked| asked.user).collect();
    let query = sqlx::query_as(NUMBERS).bind(organization.0).bind(Signup::TYPE).bind(users).bind(PHONE_GIVEN);
    let numbers: Vec<(Uuid, i64, Uuid)> = query.fetch_all(reader.connection()).await?;
    asked.extend(numbers.into_iter().map(|(user, position, event)| Asked { user, position, event }));
    let by_position: BTreeMap<i64, &Asked> = asked.iter().map(|asked| (asked.position, asked)).collect();
    let positions: Vec<i64> = by_position.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0).bind([EMAIL, DISPLAY_NAME, PHONE].as_slice());
    let sealed: Vec<(i64, String, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let (mut items, mut whose) = (Vec::with_capacity(sealed.len()), Vec::with_capacity(sealed.len()));
    for (position, field, ciphertext) in &sealed {
        if let Some(asked) = by_position.get(position) {
            let stream = (Signup::TYPE, asked.user);
            let place = Place::in_event(organization, stream, EventId(asked.event), field, asked.user, Purpose::Profile);
            items.push((place, ciphertext.as_slice()));
            whose.push((asked.user, field.as_str()));
        }
    }
    let opened = reader.keys().open_many(&items).await?;
    let mut people: BTreeMap<Uuid, Person> = BTreeMap::new();
    for ((user, field), clear) in whose.into_iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the name.
        let malformed = |_| ReadError::Unavailable(anyhow::anyhow!("`{field}` of the sign-up {user} is not a text"));
        let text = Some(serde_json::from_slice(&clear).map_err(malformed)?);
        let person = people.entry(user).or_default();
        match field {
            EMAIL => person.email = text,
            PHONE => person.phone = text,
            _ => person.display_name = text,
        }
    }
    Ok(people)
}
