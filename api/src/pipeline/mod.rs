//! The pipeline: the one way from a request to a command or a query.
//!
//! rate limit by address → authenticate → tenant → rate limit by organization, user and class →
//! authorise → validate → idempotency → handle. Every route takes it, because three locks leave no
//! other way (ADR 4): routes are rows that generic handlers serve, execution and reads take an
//! [`Admitted`](palmares_domain::kernel::Admitted) that only [`gate::Gate::admit`] grants, and a
//! test attacks every row of the very table that serves.

pub mod action;
pub mod api_key;
pub mod body;
pub mod call;
pub mod command;
pub mod concealed;
pub mod counters;
pub mod credentials;
pub mod decision;
pub mod door;
pub mod elevated;
pub mod environment;
mod factors;
pub mod gate;
pub mod key_file;
pub mod keys;
pub mod limits;
pub mod live;
mod named;
mod owed_consents;
pub mod ports;
pub mod progress;
pub mod query;
pub mod quotas;
pub mod related;
mod remembered;
pub mod respond;
pub mod rim;
pub mod route;
pub mod server;
pub mod session_secret;
pub mod settings;
pub mod step_up;
pub mod stream;
pub mod table;
pub mod tenant_context;
pub mod tokens;
pub mod told;
mod worded;

pub use environment::Environment;
pub use gate::Gate;
pub use limits::Limiter;
pub use ports::{
    Access, AccessLog, Elevated, Program, RefusedAccess, SensitiveRead, Shown, Standing, Standings, TakenOut, Upkeep, UpkeepRefused,
};
pub use progress::Progress;
pub use route::{Route, Throttle};
pub use server::{Bound, Parts, READ_AUDIT_LOG, Services, bind};
pub use settings::{Proxy, RateLimits, Settings};
pub use step_up::{PROOF_HEADER, STEP_UP, StepUpProof};
pub use tokens::TokenKeys;
pub use told::{Mailbox, Told};

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod testing;
