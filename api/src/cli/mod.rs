//! The command line of `palmares`.
//!
//! Results go to standard output: sentences and a progress bar on a terminal, JSON lines otherwise.
//! Logs and errors go to standard error. Exit codes: 0 done, 1 not done, 2 not understood.

pub mod admit;
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
use palmares_proofs::files::Unproved;
use std::process::ExitCode;

/// Palmares: an event-sourced, multi-tenant backend for points, wellness activity and leaderboards, with the
/// identity and the compliance around them
#[derive(Parser)]
#[command(name = "palmares", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine, with its own PostgreSQL and nats-server and a demo organization: what
    /// `make run` does
    Dev(dev::DevArgs),
    /// Serve in production, on settings from the environment
    Serve(serve::ServeArgs),
    /// Make the keys of a new system where they are missing, or change those of one that is there
    Keys(keys::KeysArgs),
    /// Bring the database to the schema of this build
    Migrate(migrate::MigrateArgs),
    /// Make the platform's organization and its first administrator
    Bootstrap(bootstrap::BootstrapArgs),
    /// Sign a token with the key of the system, for operators and scripts
    Token(token::TokenArgs),
    /// Import a file through the API, or a table of postgres-es into the log
    #[command(subcommand)]
    Import(import::ImportKind),
    /// Fill a projection anew from the log, without downtime
    Rebuild(rebuild::RebuildArgs),
    /// Make every projection anew from the log, and say where what served was not what the log says
    VerifyProjections(rebuild::VerifyProjectionsArgs),
    /// Compare every account's stream with its balance and the trial balance
    VerifyLedger(verify_ledger::VerifyLedgerArgs),
    /// Show every field that is recorded, its class, whose it is and what for
    DataMap,
    /// Check an evidence package, or the proof of one event, with nothing but the public key
    Verify(verify::VerifyArgs),
    /// Check that the log in the database is the one that was signed
    VerifyLog(verify_log::VerifyLogArgs),
    /// Show what stands in the log and no server of this system recorded, and answer for it if it may stay
    Admit(admit::AdmitArgs),
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
            error.downcast_ref::<Unproved>().map_or(ExitCode::FAILURE, |why| ExitCode::from(why.exit_code()))
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
        Command::Rebuild(args) => return rebuild::run(&args, reporter).await,
        Command::VerifyProjections(args) => return rebuild::verify(&args, reporter).await,
        Command::VerifyLedger(args) => return verify_ledger::run(&args, reporter).await,
        Command::DataMap => data_map::run(reporter),
        Command::Verify(args) => verify::run(args, reporter)?,
        Command::VerifyLog(args) => return verify_log::run(&args, reporter).await,
        Command::Admit(args) => return admit::run(&args, reporter).await,
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
    fn the_readme_calls_the_program_as_it_is() {
        let readme = include_str!("../../../README.md");
        let about = Cli::command().get_about().map(ToString::to_string).unwrap_or_default();
        let summary = about.strip_prefix("Palmares: ").expect("a summary");
        assert!(
            summary.starts_with("an event-sourced, multi-tenant backend for")
                && readme.contains("Palmares is an event-sourced, multi-tenant backend for")
        );
        let calls: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("~/.cache/palmares/target/release/")).collect();
        assert!(calls.len() >= 2, "{calls:?}");
        for call in calls {
            let parsed = Cli::try_parse_from(call.split_whitespace());
            assert!(parsed.is_ok(), "{call}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
        let named = readme.split("`palmares ").skip(1).filter_map(|rest| rest.split([' ', '`']).next());
        let known = command_names();
        for command in named.filter(|command| *command != "--help") {
            assert!(known.iter().any(|known| known == command), "there is no `palmares {command}`");
        }
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
                "verify-projections",
                "verify-ledger",
                "data-map",
                "verify",
                "verify-log",
                "admit",
                "doctor"
            ]
        );
    }
}
