//! Why something is refused of a user's sessions.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionsError {
    #[error("the session exists already")]
    AlreadyExists,
    #[error("a session ends after it begins")]
    Over,
    #[error("the name of a device has 1 to 100 characters, no control characters, and no space around it")]
    DeviceNameInvalid,
    /// Unknown, ended, expired, or not the session of this secret: which, nobody is told.
    #[error("the session has ended")]
    Ended,
    #[error("no such session")]
    NotFound,
}

impl Refusal for SessionsError {
    fn code(&self) -> Code {
        match self {
            Self::AlreadyExists => Code::Conflict,
            Self::Over => Code::InternalError,
            Self::DeviceNameInvalid => Code::ValidationError,
            Self::Ended => Code::AuthenticationFailed,
            Self::NotFound => Code::ResourceNotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "identity.session_already_exists",
            Self::Over => "identity.session_over",
            Self::DeviceNameInvalid => "identity.device_name_invalid",
            Self::Ended => "identity.session_ended",
            Self::NotFound => "identity.session_not_found",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::DeviceNameInvalid => Some("device_name"),
            _ => None,
        }
    }
}
