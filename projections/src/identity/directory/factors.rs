//! From the events of credentials to which second factors of their own users have.

use crate::engine::{ApplyContext, ApplyError, Delivered};
use palmares_domain::{
    identity::credential::CredentialEvent,
    kernel::{Event, UserId},
};

/// What tells of it.
pub(super) const OF_FACTORS: [&str; 4] =
    ["identity.totp_enrolled", "identity.totp_disabled", "identity.phone_enrolled", "identity.phone_removed"];

pub(super) const ADD: &str = "
    UPDATE {identity_users} SET second_factors = array_append(second_factors, $3)
    WHERE organization_id = $1 AND user_id = $2 AND NOT second_factors @> ARRAY[$3]";

pub(super) const DROP: &str =
    "UPDATE {identity_users} SET second_factors = array_remove(second_factors, $3) WHERE organization_id = $1 AND user_id = $2";

/// Of one user, or of the whole organization: a credential whose keys are gone proves nothing.
pub(super) const FORGET: &str =
    "UPDATE {identity_users} SET second_factors = '{}' WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

const TOTP: &str = "totp";
const PHONE: &str = "phone";

/// Whether an event is a credential's, and none of the user.
pub(super) fn is_of_factor(delivered: &Delivered) -> bool {
    OF_FACTORS.contains(&delivered.event.event_type.as_str())
}

/// A second factor that a user has from here on, or has no more.
fn change_of(delivered: &Delivered) -> Result<Option<(UserId, &'static str, bool)>, ApplyError> {
    let event = &delivered.event;
    Ok(match CredentialEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
        CredentialEvent::TotpEnrolled(enrolled) => Some((enrolled.user_id, TOTP, true)),
        CredentialEvent::TotpDisabled(disabled) => Some((disabled.user_id, TOTP, false)),
        CredentialEvent::PhoneEnrolled(enrolled) => Some((enrolled.user_id, PHONE, true)),
        CredentialEvent::PhoneRemoved(removed) => Some((removed.user_id, PHONE, false)),
        _ => None,
    })
}

/// Writes down which second factors users have. They change seldom, so each event is a statement of its own.
pub(super) async fn write(context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
    for delivered in batch.iter().filter(|delivered| is_of_factor(delivered)) {
        let Some((user, factor, added)) = change_of(delivered)? else { continue };
        let sql = context.slot.sql(if added { ADD } else { DROP });
        let update = sqlx::query(&sql).bind(delivered.event.organization_id.0).bind(user.0).bind(factor);
        update.execute(&mut *context.tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        identity::credential::{PhoneEnrolled, PhoneRemoved, TotpDisabled, TotpEnrolled},
        kernel::{Digest, OrganizationId, Personal},
    };
    use uuid::Uuid;

    const ALICE: UserId = UserId(Uuid::from_u128(2));

    // covers: E-198
    #[test]
    fn an_authenticator_or_a_telephone_is_a_second_factor_until_it_is_given_up() {
        let of = |event: CredentialEvent| {
            change_of(&recorded(OrganizationId(Uuid::from_u128(1)), ("credential", ALICE.0, 1), 1, &event)).unwrap()
        };
        assert_eq!(of(TotpEnrolled { user_id: ALICE, step: 7 }.into()), Some((ALICE, TOTP, true)));
        assert_eq!(of(TotpDisabled { user_id: ALICE }.into()), Some((ALICE, TOTP, false)));
        let phone = Personal::Sealed(Digest([9; 32]));
        assert_eq!(of(PhoneEnrolled { user_id: ALICE, phone }.into()), Some((ALICE, PHONE, true)));
        assert_eq!(of(PhoneRemoved { user_id: ALICE }.into()), Some((ALICE, PHONE, false)));
    }
}
