//! `palmares doctor`: looks at every dependency and setting, and says what is wrong and what to do.

use super::{
    checks::{self, Finding, Verdict},
    dev::{self, embedded::programs},
    output::{Reporter, print_line},
    settings::GivenSettings,
};
use comfy_table::{Table, presets};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    given: GivenSettings,
    /// Look at what `palmares dev` needs, even where the settings of a server are given
    #[arg(long)]
    dev: bool,
    /// The data folder of `palmares dev`
    #[arg(long, env = "PALMARES_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

/// Shows every finding; the answer says whether none is bad.
pub async fn run(args: DoctorArgs, reporter: &Reporter) -> bool {
    let findings = if args.dev || args.given.database_url.is_none() {
        development(&args.data_dir.unwrap_or_else(dev::default_data_dir))
    } else {
        match args.given.complete() {
            Ok(settings) => {
                let mut findings = checks::before_serving(&settings).await;
                // A server serves without; what is wrong has to be looked at nevertheless.
                findings.push(checks::proofs::check(&settings).await);
                findings.push(checks::walls::check(&settings.database_url).await);
                findings
            }
            Err(missing) => vec![Finding::bad("settings", missing.to_string())],
        }
    };
    show(&findings, reporter);
    !findings.iter().any(|finding| matches!(finding.verdict, Verdict::Bad(_)))
}

/// What `palmares dev` needs. No server settings are given, so this is what is meant.
fn development(data_dir: &std::path::Path) -> Vec<Finding> {
    let postgres = match programs::PostgresPrograms::find(None) {
        Ok(found) => Finding::good("PostgreSQL", format!("{} in {}", found.major, found.bin.display())),
        Err(error) => Finding::bad("PostgreSQL", error.to_string()),
    };
    let nats = match programs::find_nats() {
        Ok(path) => Finding::good("nats-server", path.display().to_string()),
        Err(error) => Finding::bad("nats-server", error.to_string()),
    };
    let folder = match dev::embedded::Folder::inspect(data_dir) {
        Ok(state) => Finding::good("data folder", format!("{}: {state}", data_dir.display())),
        Err(error) => Finding::bad("data folder", error.to_string()),
    };
    vec![postgres, nats, folder]
}

fn show(findings: &[Finding], reporter: &Reporter) {
    let parts = |verdict: &Verdict| match verdict {
        Verdict::Good(text) => ("ok", text.clone()),
        Verdict::Doubtful(text) => ("look", text.clone()),
        Verdict::Bad(text) => ("WRONG", text.clone()),
    };
    if *reporter == Reporter::Terminal {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        for finding in findings {
            let (verdict, text) = parts(&finding.verdict);
            table.add_row([verdict.to_owned(), finding.subject.to_owned(), text]);
        }
        print_line(&table.to_string());
        return;
    }
    for finding in findings {
        let (verdict, text) = parts(&finding.verdict);
        print_line(
            &json!({ "event": "finding", "subject": finding.subject, "verdict": verdict.to_lowercase(), "detail": text }).to_string(),
        );
    }
}
