//! E-mail addresses: unique in an organization, however they are spelled.

use super::{
    catalogue_stream, check_may_act_for,
    memberships::{memberships_stream, own, part_from_elsewhere},
    officers::check_signs_in_unaided,
    user_stream,
};
use crate::engine::{Answer, Engine, Operation, Refused, Rejection, StreamRef, Unit};
use crate::privacy::PrivacyError;
use crate::store::ClaimKey;
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, SIGNUP_EMAIL_LOOKUP, email_key,
        user::{self, User, UserCommand, UserEvent, UserStatus},
    },
    kernel::{Admission, Code, FieldError, OrganizationId, UserId},
    organizations::domain::DomainName,
};
use serde::Deserialize;
use std::fmt;
use utoipa::ToSchema;

crate::capabilities! {
    SetUserEmail => permit "identity.user.set_email", throttle Write, owner |set| Some(set.user_id);
}

/// An address as it was typed, with the key that all its spellings share.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Email {
    text: String,
    key: String,
}

impl From<String> for Email {
    fn from(text: String) -> Self {
        Self { key: email_key(&text), text }
    }
}

impl Email {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What [`Operation::hashed`] answers for it.
    pub(crate) fn lookup(&self) -> (&'static str, &str) {
        (EMAIL_LOOKUP, &self.key)
    }

    /// The same, for the sign-up that is under way for it.
    pub(super) fn signup_lookup(&self) -> (&'static str, &str) {
        (SIGNUP_EMAIL_LOOKUP, &self.key)
    }

    pub(super) fn domain(&self) -> Option<DomainName> {
        DomainName::of_email(&self.text)
    }
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(hidden)")
    }
}

/// Sets the address under which a user is reached and signs in; the one before is free again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUserEmail {
    pub user_id: UserId,
    #[schema(value_type = String, format = Email, max_length = 254)]
    pub email: Email,
    /// Looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    pub before: Option<OnRecord>,
}

/// The address that a user has. Neither the log nor a state says under which key it is claimed, since a keyed hash
/// of it would be that of whoever has the address after them: it is opened, and hashed again.
#[derive(Clone, Copy, Debug)]
pub struct OnRecord {
    /// The how manieth of the user's addresses it is.
    number: u32,
    /// None where it cannot be read.
    claim: Option<ClaimKey>,
}

impl OnRecord {
    /// Looks up the address of a user: none where there is none, and where what stands sealed is not what was
    /// recorded. Nobody decides on that, so no other one is set then.
    pub async fn of(engine: &Engine, organization: OrganizationId, user: UserId) -> Result<Option<Self>, Rejection> {
        let set = |event: &UserEvent| matches!(event, UserEvent::EmailSet(_));
        let found = match engine.last_opened::<User>(organization, user, set).await {
            Err(Rejection::Internal(cause)) if cause.downcast_ref().is_some_and(PrivacyError::is_of_one_value) => {
                tracing::error!(%organization, %user, %cause, "the address of a user cannot be read");
                None
            }
            found => found?,
        };
        let Some((number, UserEvent::EmailSet(set))) = found else { return Ok(None) };
        let claim = match set.email.clear() {
            Some(email) => Some(ClaimKey { organization, key: engine.lookup_key(organization, EMAIL_LOOKUP, &email_key(email)).await? }),
            None => None,
        };
        Ok(Some(Self { number, claim }))
    }
}

/// Sets a user's address and claims it, in place of the one before, where they had one. The operation names it in
/// [`Operation::hashed`], and the claim before in [`Operation::claims`].
pub(crate) fn set_email(unit: &mut Unit<'_>, user_id: UserId, email: &Email, before: Option<OnRecord>) -> Result<(), Refused> {
    let claim = unit.claim_of(EMAIL_LOOKUP)?;
    let addresses = unit.state::<User>(user_id)?.profile().map_or(0, |profile| profile.addresses);
    unit.run::<User>(user_id, &UserCommand::SetEmail(user::SetEmail { email: email.text.clone() }))?;
    match unit.holder(claim) {
        // Their own address in another spelling.
        Some(holder) if holder == user_id.0 => Ok(()),
        Some(_) => {
            let taken = Refused::new(Code::Conflict, "identity.email_taken", "another user has this e-mail address");
            Err(Refused { errors: vec![FieldError::new("email", "identity.email_taken")], ..taken })
        }
        None => {
            if addresses > 0 {
                let before = before.filter(|before| before.number == addresses).and_then(|before| before.claim);
                let before = before.ok_or_else(|| {
                    let detail = "the address that the user has cannot be read, or was set in this moment";
                    Refused::new(Code::Conflict, "identity.email_not_known", detail)
                })?;
                if unit.holder(before) == Some(user_id.0) {
                    unit.release(before);
                }
            }
            unit.claim(claim, user_id);
            Ok(())
        }
    }
}

impl Operation for SetUserEmail {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id), memberships_stream(own(admission, self.user_id))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup()]
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        self.before.and_then(|before| before.claim).into_iter().collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_act_for(unit, self.user_id)?;
        check_signs_in_unaided(unit, self.user_id)?;
        // The invitation goes to the address, and lets it go when it is revoked: nothing else may.
        if unit.state::<User>(self.user_id)?.profile().is_some_and(|profile| profile.status == UserStatus::Invited) {
            let detail = "the address of an invited user is the one that was invited";
            return Err(Refused::new(Code::Conflict, "identity.user_is_invited", detail));
        }
        set_email(unit, self.user_id, &self.email, self.before)?;
        part_from_elsewhere(unit, self.user_id)?;
        Ok(Answer::new("id", self.user_id, "SET"))
    }
}
