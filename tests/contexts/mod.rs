//! What each context promises, in sentences over HTTP against the running system.

mod history;
mod identity;
mod invitations;
mod journey;
mod messaging;
mod points;
mod sessions;
mod sign_in;
