//! What a crash in the middle of a load leaves behind: every answer that was given, once.
//!
//! Each test runs servers of its own and kills them. `FAULT_ROUNDS` says how often (ten times
//! unless told otherwise), and `FAULT_SEED` repeats a load that a failing run has printed.

mod altered_values;
mod audit_schedules;
mod certificate;
mod clock_ahead;
mod erasure;
mod load;
mod organization_erasure;
mod plans;
mod provisioning;
mod remains;
mod reused_address;
mod siem;
mod store;
mod system;
mod timers;
pub mod world;

use rand::{SeedableRng, rngs::StdRng};

fn rounds() -> usize {
    std::env::var("FAULT_ROUNDS").ok().map_or(10, |rounds| rounds.parse().expect("FAULT_ROUNDS is a number"))
}

fn seeded(test: &str) -> StdRng {
    let seed = std::env::var("FAULT_SEED").ok().map_or_else(rand::random, |seed| seed.parse().expect("FAULT_SEED is a number"));
    println!("{test}: FAULT_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
