//! The doors: each a request that somebody makes before anyone knows who they are.

mod disown;
mod email_verification;
mod magic_link;
mod newcomer;
mod oidc;
mod password;
mod password_reset;
mod second_factor;
mod session;
mod set_password;
mod signup;
mod signup_phone;
mod switch;

pub use disown::Disown;
pub use email_verification::VerifyEmail;
pub use magic_link::{AskMagicLink, TakeMagicLink};
pub use newcomer::CompleteInvitation;
pub use oidc::{FinishOidc, StartOidc};
pub use password::SignIn;
pub use password_reset::{AskPasswordReset, ResetPassword};
pub use second_factor::{AskEmailCode, AskPhoneCode, ConfirmEnrolment, EnrolSecondFactor, Enrolment, VerifySecondFactor};
pub use session::{RefreshSession, SignOut};
pub use set_password::SetOwnPassword;
pub use signup::{CompleteSignup, RequestSignup};
pub use signup_phone::VerifySignupPhone;
pub use switch::EnterMembership;

use super::entrance::Device;
use palmares_commands::digests::digest_of;
use palmares_domain::kernel::Digest;
use serde::Deserialize;
use utoipa::ToSchema;

/// What a client tells of the device that it runs on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceFields {
    /// An id of the client's own making, kept where the refresh token is kept. A refresh without it is a theft.
    #[schema(min_length = 16, max_length = 200)]
    pub id: Option<String>,
    /// What the user will know the device by.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
}

impl DeviceFields {
    fn told(self) -> Device {
        Device { id: self.id.as_deref().map(device_digest), name: self.name }
    }
}

fn device_digest(id: &str) -> Digest {
    digest_of(id.as_bytes())
}

/// A flag that may come as JSON or, in a query string, as text.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Flag(bool),
        Text(String),
    }
    match Given::deserialize(deserializer)? {
        Given::Flag(flag) => Ok(flag),
        Given::Text(text) if text == "true" => Ok(true),
        Given::Text(text) if text == "false" => Ok(false),
        Given::Text(_) => Err(serde::de::Error::custom("invalid type: string, expected a boolean")),
    }
}
