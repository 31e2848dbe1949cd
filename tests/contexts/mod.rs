//! What each context promises, in sentences over HTTP against the running system.

mod api_keys;
mod decisions;
mod elevations;
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
mod sessions;
mod sign_in;
mod sign_in_settings;
mod sign_in_timing;
mod signups;
mod user_imports;
