//! What every test stands on.

pub mod servers;
pub mod streams;
