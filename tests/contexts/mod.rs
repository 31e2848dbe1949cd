//! What each context promises, in sentences over HTTP against the running system.

mod analytics;
mod api_keys;
mod breaches;
mod clearance;
mod consents;
mod decisions;
mod elevations;
mod erasure;
mod experts;
mod exports;
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
mod proofs;
mod provisioning;
mod sessions;
mod sign_in;
mod sign_in_settings;
mod sign_in_timing;
mod signups;
mod subject_requests;
mod suspicious_sign_ins;
mod user_imports;

pub use sign_in::code;
