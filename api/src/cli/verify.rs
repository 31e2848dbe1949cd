//! `palmares verify FILE`: checks an evidence package or the proof of one event, with no server at hand.

use super::output::{Reporter, print_line};
use palmares_proofs::files::{self, Asked};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct VerifyArgs {
    /// An evidence package, or the .tlog-proof of one event
    file: PathBuf,
    /// A key of the log that you trust, as name+id+key, or a file of such lines
    #[arg(long = "key", required = true)]
    keys: Vec<String>,
    /// How that key introduced later ones: the answer of GET /audit-logs/keys, or the notes in it
    #[arg(long)]
    introductions: Vec<PathBuf>,
    /// A checkpoint that you kept: the log has to extend it
    #[arg(long)]
    pinned: Option<PathBuf>,
    /// What is said to be the payload of the one event: it has to be
    #[arg(long)]
    payload: Option<PathBuf>,
    /// The key of a witness whose cosignature is reported
    #[arg(long = "witness")]
    witnesses: Vec<String>,
    /// Refuse a package that shows hashes of an event alone, which whoever passed it on may have put there
    #[arg(long)]
    whole: bool,
}

/// The answer is the same as that of `palmares-verify`, which needs nothing of the server.
pub fn run(args: VerifyArgs, reporter: &Reporter) -> anyhow::Result<()> {
    let VerifyArgs { file, keys, introductions, pinned, payload, witnesses, whole } = args;
    let asked = Asked { file, keys, introductions, pinned, payload, witnesses, whole };
    let verified = files::verify(&asked)?;
    match reporter {
        Reporter::Terminal => asked.sentences(&verified).iter().for_each(|sentence| print_line(sentence)),
        _ => print_line(&json!({ "event": "verified", "proved": verified }).to_string()),
    }
    Ok(())
}
