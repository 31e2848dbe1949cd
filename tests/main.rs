//! Tests on real parts: PostgreSQL, nats-server and HTTP against the running binary.
//!
//! One binary, so that PostgreSQL and nats-server start once and the dependencies link once. Each
//! test has a database of its own, cloned from one migrated template.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "what a test stands on is there or the test has failed")]

mod contexts;
mod contracts;
mod engine;
mod faults;
mod operations;
mod pipeline;
mod support;
