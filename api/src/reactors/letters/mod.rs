//! Sends the letters that events ask for, each once (T-19).

mod address_book;
mod asked;
mod rights;
mod send_letters;

pub use address_book::AddressBook;
pub use send_letters::{Post, SendLetters};
