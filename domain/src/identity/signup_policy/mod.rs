//! How people sign up by themselves in one organization: whether they may, and by which hooks, in
//! which order (T-44, T-47).
//!
//! There is one policy per organization, in a stream under the organization's id. A sign-up is held to
//! the hooks that stood when it began. Whatever is configured, the address is proven: where no hook
//! says when, it is the last step.

mod aggregate;
mod commands;
mod errors;
mod events;
mod hook;
#[cfg(test)]
mod tests;

pub use aggregate::SignupPolicy;
pub use commands::ConfigureSignup;
pub use errors::SignupPolicyError;
pub use events::{SignupConfigured, SignupPolicyEvent};
pub use hook::SignupHook;
