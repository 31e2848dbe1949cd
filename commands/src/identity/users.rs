//! Users that someone creates directly.

use super::emails::{Email, set_email};
use super::{catalogue_stream, check_may_give};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    identity::{
        EXTERNAL_REF_LOOKUP, RoleRef,
        user::{self, User, UserCommand},
    },
    kernel::{Admission, Code, FieldError, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    CreateUser => permit "identity.user.create", throttle Write;
}

/// The stream of a user of the organization in which the request acts.
pub(crate) fn user_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<User>(admission.organization, user)
}

/// Creates a user of the organization, active at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// How the organization's own systems call the person; unique in the organization.
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: String,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: Option<String>,
    /// Where the user is reached, and by what they sign in; unique in the organization.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    pub email: Option<Email>,
}

impl CreateUser {
    fn id(admission: &Admission) -> UserId {
        UserId(new_id(admission, "user"))
    }
}

impl Operation for CreateUser {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        let external_ref = (EXTERNAL_REF_LOOKUP, self.external_ref.as_str());
        [external_ref].into_iter().chain(self.email.as_ref().map(Email::lookup)).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        let user_id = Self::id(unit.admission());
        let command = UserCommand::Create(user::CreateUser {
            user_id,
            organization_id: unit.organization(),
            external_ref: self.external_ref.clone(),
            display_name: self.display_name.clone(),
            role: self.role,
        });
        unit.run::<User>(user_id, &command)?;
        let claim = unit.claim_of(EXTERNAL_REF_LOOKUP)?;
        if unit.holder(claim).is_some() {
            let taken = Refused::new(Code::Conflict, "identity.external_ref_taken", "another user has this external reference");
            return Err(Refused { errors: vec![FieldError::new("external_ref", "identity.external_ref_taken")], ..taken });
        }
        unit.claim(claim, user_id);
        if let Some(email) = &self.email {
            set_email(unit, user_id, email, None)?;
        }
        Ok(Answer::new("id", user_id, "ACTIVE"))
    }
}
