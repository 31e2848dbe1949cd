//! What every fold over accounts needs of an event: its name, its content, and whose row it is.

use crate::engine::{ApplyError, Delivered};
use palmares_domain::{
    kernel::{Event, EventSpec},
    points::account::AccountEvent,
};
use uuid::Uuid;

/// Every event type of an account.
pub(super) const ACCOUNT_EVENTS: &[&str] = &names::<{ AccountEvent::CATALOGUE.len() }>(AccountEvent::CATALOGUE);

/// The names of a catalogue, so that a new event type cannot be forgotten here.
pub(super) const fn names<const N: usize>(catalogue: &[EventSpec]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = catalogue[index].name;
        index += 1;
    }
    names
}

/// The event that was delivered.
pub(super) fn parse<E: Event>(delivered: &Delivered) -> Result<E, ApplyError> {
    let event = &delivered.event;
    Ok(E::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?)
}

/// The account that an event happened to; ordered as the keys of the tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Holder {
    pub organization_id: Uuid,
    pub user_id: Uuid,
    pub account_id: Uuid,
    pub program_id: Uuid,
    pub team_id: Option<Uuid>,
}

impl Holder {
    pub fn of(delivered: &Delivered, event: &AccountEvent) -> Self {
        let account = event.account();
        Self {
            organization_id: delivered.event.organization_id.0,
            user_id: account.user_id.0,
            // The stream of an account is named by the account's id.
            account_id: delivered.event.stream.id,
            program_id: account.program_id.0,
            team_id: account.team_id.map(Uuid::from),
        }
    }
}
