//! A password that somebody else gives a user, who has to set their own before anything else (E-136).

use super::{
    catalogue_stream, check_may_give,
    credentials::credential_stream,
    memberships::{memberships_stream, own, part_from_elsewhere},
    officers::check_signs_in_unaided,
    sessions::sessions_stream,
    users::user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        credential::{self, Credential, CredentialAction, CredentialCommand},
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand},
        user::{User, UserError},
    },
    kernel::{Admission, UserId},
};

/// Sets it. Whoever can set another's password can be them, so nobody does it to someone whose
/// roles reach further than their own rights.
pub struct SetTemporaryPassword {
    pub user_id: UserId,
    /// In the PHC string format.
    pub hash: String,
}

impl Operation for SetTemporaryPassword {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![
            credential_stream(admission, self.user_id),
            sessions_stream(admission, self.user_id),
            memberships_stream(own(admission, self.user_id)),
        ]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id), catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        let profile = unit.state::<User>(user_id)?.profile().cloned().ok_or(UserError::NotFound)?;
        for role in profile.roles {
            check_may_give(unit, role)?;
        }
        check_signs_in_unaided(unit, user_id)?;
        let set = credential::SetPassword { hash: self.hash.clone(), temporary: true };
        unit.run::<Credential>(user_id, &CredentialCommand { user_id, action: CredentialAction::SetPassword(set) })?;
        let end = SessionsAction::RevokeAll { except: None, reason: RevocationReason::PasswordChanged };
        unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action: end })?;
        part_from_elsewhere(unit, user_id)?;
        Ok(Answer::new("id", user_id, "TEMPORARY"))
    }
}
