//! The command line of `palmares`.
//!
//! Results go to standard output: sentences and a progress bar on a terminal, JSON lines otherwise.
//! Logs and errors go to standard error. Exit codes: 0 done, 1 not done, 2 not understood.

pub mod bootstrap;
pub mod checks;
pub mod client;
pub mod data_map;
pub mod demo;
pub mod dev;
pub mod doctor;
pub mod import;
pub mod keys;
mod logging;
pub mod metrics;
pub mod migrate;
pub mod output;
pub mod rebuild;
mod remote;
pub mod sealing;
pub mod serve;
pub mod settings;
mod signals;
pub mod system;
pub mod token;
pub mod verify;
pub mod verify_ledger;
pub mod verify_log;

pub use settings::{ENVIRONMENT, ServerRole, ServerSettings};
pub use system::System;

use crate::telemetry::Telemetry;
use clap::{CommandFactory, Parser, Subcommand};
use output::Reporter;
use std::process::ExitCode;

/// Palmares: an event-sourced, multi-tenant backend for the people side of a company
#[derive(Parser)]
#[command(name = "palmares", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine, with its own PostgreSQL and nats-server and a demo organization
    Dev(dev::DevArgs),
    /// Serve in production, on settings from the environment
    Serve(serve::ServeArgs),
    /// Make the keys of a new system, where they are missing
    Keys(keys::KeysArgs),
    /// Bring the database to the schema of this build
    Migrate(migrate::MigrateArgs),
    /// Make the platform's organization and its first administrator
    Bootstrap(bootstrap::BootstrapArgs),
    /// Sign a token
    Token(token::TokenArgs),
    /// Import a file through the API, or a table of postgres-es into the log
    #[command(subcommand)]
    Import(import::ImportKind),
    /// Fill a projection anew from the log, without downtime
    Rebuild(rebuild::RebuildArgs),
    /// Check that streams, balances and trial balance of the points ledger agree
    VerifyLedger(verify_ledger::VerifyLedgerArgs),
    /// Show every field that is recorded, its class, whose it is and what for
    DataMap,
    /// Check an evidence package, or the proof of one event, without a server
    Verify(verify::VerifyArgs),
    /// Check that the log in the database is the one that was signed
    VerifyLog(verify_log::VerifyLogArgs),
    /// Check every dependency and setting, and say what is wrong
    Doctor(doctor::DoctorArgs),
}

/// The names of the commands, for tests of what names them elsewhere.
pub fn command_names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// Runs what the command line asks for.
pub async fn run(system: &dyn System) -> ExitCode {
    let cli = Cli::parse();
    match observed(cli.command, system).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The whole chain in one line: what was being done, and why it failed.
            eprintln!("palmares: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Executes between the start of logs and traces and the export of the last ones.
async fn observed(command: Command, system: &dyn System) -> anyhow::Result<bool> {
    let telemetry = match command {
        Command::Dev(_) | Command::Serve(_) => Telemetry::from_environment()?,
        _ => None,
    };
    logging::start(matches!(command, Command::Serve(_)), telemetry.as_ref());
    let outcome = execute(command, system, &Reporter::detect()).await;
    if let Some(telemetry) = telemetry {
        telemetry.stop().await;
    }
    outcome
}

async fn execute(command: Command, system: &dyn System, reporter: &Reporter) -> anyhow::Result<bool> {
    match command {
        Command::Dev(args) => dev::run(args, system).await?,
        Command::Serve(args) => serve::run(args, system).await?,
        Command::Keys(args) => keys::run(&args, system, reporter).await?,
        Command::Migrate(args) => migrate::run(&args, reporter).await?,
        Command::Bootstrap(args) => bootstrap::run(&args, system, reporter).await?,
        Command::Token(args) => token::run(&args)?,
        Command::Import(kind) => return import::run(kind, reporter).await,
        Command::Rebuild(args) => rebuild::run(&args, reporter).await?,
        Command::VerifyLedger(args) => return verify_ledger::run(&args, reporter).await,
        Command::DataMap => data_map::run(reporter),
        Command::Verify(args) => verify::run(args, reporter)?,
        Command::VerifyLog(args) => return verify_log::run(&args, reporter).await,
        Command::Doctor(args) => return Ok(doctor::run(args, reporter).await),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_variable_of_the_command_line_is_explained() {
        fn variables(command: &clap::Command, found: &mut BTreeSet<String>) {
            found.extend(command.get_arguments().filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned())));
            command.get_subcommands().for_each(|command| variables(command, found));
        }
        let mut used = BTreeSet::new();
        variables(&Cli::command(), &mut used);
        // Read beside the command line: where programs are, what is logged, and where traces go.
        used.extend(["PALMARES_POSTGRES_BIN", "PALMARES_NATS_SERVER", "RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"].map(str::to_owned));
        let explained: BTreeSet<String> = ENVIRONMENT.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(used, explained);
    }

    #[test]
    fn the_commands_are_those_of_the_manual() {
        assert_eq!(
            command_names(),
            [
                "dev",
                "serve",
                "keys",
                "migrate",
                "bootstrap",
                "token",
                "import",
                "rebuild",
                "verify-ledger",
                "data-map",
                "verify",
                "verify-log",
                "doctor"
            ]
        );
    }
}
