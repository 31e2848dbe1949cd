//! The business rules of Palmares, and nothing else: no clock, no randomness, no input or output.
//!
//! Every context is a folder; every aggregate in it is a folder with the same files
//! (`commands`, `events`, `errors`, `aggregate`, `tests`). [`registry`] lists every aggregate once.

pub mod kernel;

pub mod challenges;
pub mod compliance;
pub mod experts;
pub mod identity;
pub mod messaging;
pub mod organizations;
pub mod points;
pub mod recognition;

pub mod registry;

/// How deep a text typed by a person may go before it is refused, in characters.
pub const TEXT_MAX_CHARS: usize = 500;
