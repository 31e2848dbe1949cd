//! Somebody signs up by themselves: what they have to pass, in order, and what became of it (T-44).
//!
//! A sign-up stands in a stream under the id of the user whom it makes in the end. Until then there is
//! no user: nobody who has not passed every hook is anyone. The hooks are those that stood when it
//! began. The letter's link is a signed text that names the sign-up and the generation of the link, and the
//! code of a text message is made from them; nothing secret is kept.

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
mod terms;
#[cfg(test)]
mod tests;

pub use aggregate::{Person, Signup};
pub use commands::{RequestSignup, SignupCommand};
pub use errors::SignupError;
pub use events::{
    SignupApprovalAwaited, SignupCodeFailed, SignupCodeIssued, SignupCompleted, SignupEvent, SignupExpired, SignupHookFailed,
    SignupHookPassed, SignupLinkIssued, SignupPhoneGiven, SignupRefused, SignupRequested,
};
pub use status::SignupStatus;
pub use terms::{SentCode, Terms};
