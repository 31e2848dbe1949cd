//! What each context promises, in sentences over HTTP against the running system.

mod history;
mod identity;
mod sign_in;
mod journey;
mod points;
