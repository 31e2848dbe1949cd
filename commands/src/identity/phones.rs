//! Telephones as a second factor (E-112): codes go to them where the organization allows it.

use super::{
    credentials::{credential_stream, run},
    user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::credential::{CredentialAction, IssuePhoneCode},
    kernel::{Admission, Code, PassId, UserId},
    organizations::organization::Organization,
};

/// Sends a code to a telephone: to a new one, to show that it is the user's, or to the one that they have.
pub struct SendPhoneCode {
    pub user_id: UserId,
    pub pass_id: PassId,
    /// The new one, in E.164.
    pub phone: Option<String>,
    pub expires_at: DateTime<Utc>,
}

impl Operation for SendPhoneCode {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let organization = admission.organization;
        vec![user_stream(admission, self.user_id), StreamRef::of::<Organization>(organization, organization)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let organization = unit.organization();
        if !unit.state::<Organization>(organization)?.settings().allows_phone_codes() {
            let detail = "the organization does not take codes by text message";
            return Err(Refused::new(Code::Conflict, "identity.phone_codes_not_allowed", detail));
        }
        let Self { user_id, pass_id, ref phone, expires_at } = *self;
        let action = match phone {
            Some(phone) => CredentialAction::BeginPhone(IssuePhoneCode { pass_id, phone: phone.clone(), expires_at }),
            None => CredentialAction::SendPhoneCode { pass_id, expires_at },
        };
        run(unit, user_id, action)?;
        Ok(Answer::new("user_id", user_id, "SENT"))
    }
}
