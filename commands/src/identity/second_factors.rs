//! An authenticator or a telephone that was lost: somebody else takes it away (E-110, E-112).

use super::{catalogue_stream, check_may_give, credentials::credential_stream, sessions::sessions_stream, users::user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        credential::{Credential, CredentialAction, CredentialCommand},
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand},
        user::{User, UserError},
    },
    kernel::{Admission, Code, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    ResetSecondFactor => permit "identity.credential.reset_second_factor", throttle Write;
}

/// Takes away a user's authenticator, with its recovery codes, and their telephone, and ends their sessions. Where a second factor
/// is required of them, they enrol another one when they sign in. It is done to nobody whose roles reach
/// further than one's own rights, and not to oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetSecondFactor {
    pub user_id: UserId,
}

impl Operation for ResetSecondFactor {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id), sessions_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id), catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        if user_id == unit.admission().actor {
            return Err(Refused::new(Code::AccessDenied, "identity.second_factor_ones_own", "somebody else resets a second factor"));
        }
        let profile = unit.state::<User>(user_id)?.profile().cloned().ok_or(UserError::NotFound)?;
        for role in profile.roles {
            check_may_give(unit, role)?;
        }
        // Whether one is required is asked at the next sign-in, which lets nobody in without.
        let credential = unit.state::<Credential>(user_id)?;
        let (has_totp, has_phone) = (credential.has_totp(), credential.phone().is_some());
        let disable = (has_totp || !has_phone).then_some(CredentialAction::DisableTotp { required: false });
        for action in disable.into_iter().chain(has_phone.then_some(CredentialAction::RemovePhone)) {
            unit.run::<Credential>(user_id, &CredentialCommand { user_id, action })?;
        }
        let end = SessionsAction::RevokeAll { except: None, reason: RevocationReason::ByAdmin };
        unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action: end })?;
        Ok(Answer::new("id", user_id, "RESET"))
    }
}
