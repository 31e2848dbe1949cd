//! Somebody signs up by themselves: what they have to pass, in order, and what became of it (T-44).
//!
//! A sign-up stands in a stream under the id of the user whom it makes in the end. Until then there is
//! no user: nobody who has not passed every hook is anyone. The hooks are those that stood when it
//! began. The letter's link is a signed text that names the sign-up and the generation of the link;
//! nothing secret is kept.

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Person, Signup, Terms};
pub use commands::{RequestSignup, SignupCommand};
pub use errors::SignupError;
pub use events::{
    SignupApprovalAwaited, SignupCompleted, SignupEvent, SignupExpired, SignupHookFailed, SignupHookPassed, SignupLinkIssued,
    SignupRefused, SignupRequested,
};
pub use status::SignupStatus;
