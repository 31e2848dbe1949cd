//! Sends the letters that events ask for, each once (T-19).

mod asked;
mod send_letters;

pub use send_letters::{Post, SendLetters};
