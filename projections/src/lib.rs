//! The read side: what distributes the log, folds it into read models and reads them.
//!
//! `engine` knows no business; each context has a folder of read models, and every read model
//! keeps its table, its fold and its queries together.

pub mod engine;

pub mod challenges;
pub mod compliance;
pub mod experts;
pub mod identity;
pub mod operations;
pub mod organizations;
pub mod points;
pub mod recognition;

#[cfg(test)]
mod testing;
