//! What each context promises, in sentences over HTTP against the running system.

mod history;
mod journey;
mod points;
