//! One suite per port; every adapter passes it.

mod cqrs_es;
mod postgres_store;
mod privacy;
mod store;
