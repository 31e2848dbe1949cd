//! The write side: the store, the engine, the keys, and one file of capabilities per context.

pub mod privacy;
pub mod store;
