//! A telephone to which codes are sent as a second factor (E-112).

use super::CredentialError;
use crate::kernel::text::is_phone;
use serde::{Deserialize, Serialize};

/// The number that was proven to be the user's, in E.164, if there is one. It is not changed: it is removed, and
/// another one is proven.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Telephone(Option<String>);

impl Telephone {
    pub fn number(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub fn check_may_begin(&self, number: &str) -> Result<(), CredentialError> {
        if self.0.is_some() {
            return Err(CredentialError::PhoneEnrolledAlready);
        }
        if is_phone(number) { Ok(()) } else { Err(CredentialError::PhoneInvalid) }
    }

    pub fn enrolled(&self) -> Result<&str, CredentialError> {
        self.number().ok_or(CredentialError::PhoneNotEnrolled)
    }

    pub fn proven(&mut self, number: &str) {
        self.0 = Some(number.to_owned());
    }

    pub fn removed(&mut self) {
        self.0 = None;
    }
}
