//! `sqlx::migrate!` reads a folder at compile time: cargo must look at it again when it changes.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
