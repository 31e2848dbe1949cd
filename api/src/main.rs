//! The binary `palmares`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // First of all: two providers are linked, and TLS panics at its first use without a choice.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("palmares: the cryptographic provider could not be installed");
        return ExitCode::FAILURE;
    }
    palmares::cli::run(&palmares::wiring::Palmares).await
}
