//! The write side: the store, the engine, the keys, and one file of capabilities per context.

pub mod challenges;
pub mod compliance;
pub mod digests;
pub mod engine;
pub mod experts;
mod generations;
pub mod identity;
pub mod ids;
mod life_cycle;
mod merge_patch;
pub mod messaging;
pub mod organizations;
pub mod outbound;
pub mod points;
pub mod privacy;
pub mod recognition;
pub mod store;
