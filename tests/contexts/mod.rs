//! What each context promises, in sentences over HTTP against the running system.

mod analytics;
mod api_keys;
mod clearance;
mod decisions;
mod elevations;
mod erasure;
mod experts;
mod history;
mod identity;
mod invitations;
mod journey;
mod live;
mod mailed;
mod memberships;
mod messaging;
mod newcomers;
mod oidc;
mod organizations;
mod pages;
mod points;
mod policies;
mod profile;
mod provisioning;
mod proofs;
mod sessions;
mod sign_in;
mod sign_in_settings;
mod sign_in_timing;
mod signups;
mod suspicious_sign_ins;
mod user_imports;

pub use sign_in::code;
