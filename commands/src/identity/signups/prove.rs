//! The mailbox is the person's, and the telephone.

use super::{NewUser, answer, check_open, policy_stream, signup_stream, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::credentials::credential_stream;
use palmares_domain::{
    identity::{
        credential::{Credential, CredentialAction, CredentialCommand, SetPassword},
        signup::{Signup, SignupCommand},
    },
    kernel::{Admission, UserId},
};

/// Records that the mailbox is the person's, and the password that they chose with it. With that they
/// are a user, where nothing else is asked.
pub struct ProveSignupEmail {
    pub user_id: UserId,
    pub person: NewUser,
    /// Of the link, with the hash of the password that was set by it; none where a provider vouches.
    pub by_link: Option<(u32, String)>,
}

impl Operation for ProveSignupEmail {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id), user_stream(admission, self.user_id), credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(admission.organization)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.person.lookups()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        check_open(unit)?;
        let generation = self.by_link.as_ref().map(|(generation, _)| *generation);
        unit.run::<Signup>(user_id, &SignupCommand::ProveEmail { generation })?;
        if let Some((_, hash)) = &self.by_link {
            let set = CredentialAction::SetPassword(SetPassword { hash: hash.clone(), temporary: false });
            let verify = CredentialAction::VerifyEmail { email: self.person.email.text().to_owned() };
            for action in [set, verify] {
                unit.run::<Credential>(user_id, &CredentialCommand { user_id, action })?;
            }
        }
        self.person.join(unit, user_id)?;
        answer(unit, user_id)
    }
}

/// Records that the telephone is the person's. With that they are a user, where nothing else is asked.
pub struct ProveSignupPhone {
    pub user_id: UserId,
    pub person: NewUser,
    /// Of the code that came back.
    pub generation: u32,
}

impl Operation for ProveSignupPhone {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id), user_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![policy_stream(admission.organization)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.person.lookups()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_open(unit)?;
        unit.run::<Signup>(self.user_id, &SignupCommand::ProvePhone { generation: self.generation })?;
        self.person.join(unit, self.user_id)?;
        answer(unit, self.user_id)
    }
}

/// Counts a code that was typed wrong: after some the code is void.
pub struct FailSignupCode {
    pub user_id: UserId,
    pub generation: u32,
}

impl Operation for FailSignupCode {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Signup>(self.user_id, &SignupCommand::FailCode { generation: self.generation })?;
        answer(unit, self.user_id)
    }
}
