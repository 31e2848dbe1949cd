//! What must hold before a server may serve: `serve` refuses on the first failure, `doctor` shows all.

mod database;
mod mail;
mod messages;
pub mod proofs;
mod secrets;
pub mod walls;

use super::settings::ServerSettings;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub subject: &'static str,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good(String),
    /// Not wrong, and worth a look.
    Doubtful(String),
    /// Wrong, with what to do.
    Bad(String),
}

impl Finding {
    pub fn good(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Good(detail.into()) }
    }

    pub fn doubtful(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Doubtful(detail.into()) }
    }

    pub fn bad(subject: &'static str, advice: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Bad(advice.into()) }
    }

    /// Good with `detail` where `holds`, else bad with `advice`.
    pub fn of(subject: &'static str, holds: bool, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        if holds { Self::good(subject, detail) } else { Self::bad(subject, advice) }
    }

    /// The advice of a bad finding.
    pub fn failure(self) -> Option<String> {
        match self.verdict {
            Verdict::Bad(advice) => Some(format!("{}: {advice}", self.subject)),
            _ => None,
        }
    }
}

/// Every check of complete settings.
pub async fn before_serving(settings: &ServerSettings) -> Vec<Finding> {
    let mut findings = secrets::check(settings);
    findings.extend(secrets::vault(settings).await);
    findings.extend(database::check(&settings.database_url).await);
    findings.extend(mail::check(settings));
    findings.extend(messages::check(&settings.nats_url).await);
    findings
}
