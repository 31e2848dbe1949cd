//! One suite per port; every adapter passes it.

mod captcha;
mod cqrs_es;
mod dns;
pub mod domain_purity;
pub mod forgetting;
mod postgres_store;
mod privacy;
mod row_security;
mod statements;
mod store;
mod walls;
