//! Shows each checkpoint of the root log to witnesses, who cosign it where it extends what they saw (c2sp.org/tlog-witness).

use anyhow::{Context, bail};
use futures::future::join_all;
use palmares_commands::outbound::{self, Outbound};
use palmares_projections::engine::{log::Log, sealing::witness::RootLog, stop::Stop};
use palmares_proofs::{
    note::{Algorithm, Verifier},
    witness::{add_checkpoint, cosignature},
};
use reqwest::StatusCode;
use std::{str::FromStr, time::Duration};

/// How often there may be something to show.
const EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);
/// A cosignature is a line.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// A witness: its key, and where it takes checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    verifier: Verifier,
    /// The submission prefix.
    url: String,
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is no witness: name+id+key@https://submission.prefix");
        let at = text.find("@http").ok_or_else(expected)?;
        let verifier = Verifier::parse(&text[..at]).filter(|key| key.algorithm == Algorithm::Cosignature).ok_or_else(expected)?;
        Ok(Self { verifier, url: text[at + 1..].trim_end_matches('/').to_owned() })
    }
}

/// Asks witnesses for their cosignatures.
pub struct Witnesses {
    root: RootLog,
    witnesses: Vec<Witness>,
    http: reqwest::Client,
}

impl Witnesses {
    /// # Errors
    /// A client that cannot be made.
    pub fn new(log: Log, witnesses: Vec<Witness>) -> anyhow::Result<Self> {
        Ok(Self { root: RootLog::new(log), witnesses, http: Outbound::within(PATIENCE).build()? })
    }

    /// Shows what is new until stopped, to all of them at once: one that does not answer is waited for as long as a request
    /// may take, and no longer.
    pub async fn follow(self, mut stop: Stop) {
        while stop.pause(EVERY).await {
            let showing = self.witnesses.iter().map(async |witness| {
                if let Err(error) = self.show(witness).await {
                    metrics::counter!("palmares_witness_failures_total", "witness" => witness.verifier.name.clone()).increment(1);
                    tracing::warn!(witness = witness.verifier.name, error = format!("{error:#}"), "the log was not witnessed");
                }
            });
            join_all(showing).await;
        }
    }

    /// Shows the newest checkpoint, where the witness has not cosigned it; answers the size that it has cosigned.
    ///
    /// # Errors
    /// A witness that does not answer or refuses.
    pub async fn show(&self, witness: &Witness) -> anyhow::Result<u64> {
        let name = &witness.verifier.name;
        let Some((size, checkpoint)) = self.root.newest().await? else { return Ok(0) };
        let mut old = self.root.cosigned(name).await?;
        if old == size {
            return Ok(size);
        }
        // The second attempt knows from the witness what it has seen.
        for _ in 0..2 {
            let body = add_checkpoint(old, &self.root.consistency(old, size).await?, &checkpoint);
            let answer = self.http.post(format!("{}/add-checkpoint", witness.url)).body(body).send().await?;
            let status = answer.status();
            let answer = outbound::body(answer, ANSWER_MAX_BYTES).await?;
            let text = String::from_utf8_lossy(&answer);
            match status {
                StatusCode::OK => {
                    let (line, seconds) =
                        cosignature(&checkpoint, &text, &witness.verifier).context("it answered no cosignature of its own")?;
                    self.root.keep(size, name, &line, seconds).await?;
                    return Ok(size);
                }
                StatusCode::CONFLICT => old = text.trim().parse().context("it did not say what it has seen")?,
                status => bail!("it answered {status}"),
            }
        }
        bail!("it saw another checkpoint meanwhile")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_a_key_and_an_address() {
        let key = Verifier { name: "witness.example/w1".to_owned(), algorithm: Algorithm::Cosignature, public: [3; 32] };
        let witness: Witness = format!("{key}@https://witness.example/api/").parse().unwrap();
        assert_eq!(witness, Witness { verifier: key.clone(), url: "https://witness.example/api".to_owned() });
        let log_key = Verifier { algorithm: Algorithm::Ed25519, ..key.clone() };
        for text in [String::new(), key.to_string(), format!("{log_key}@https://witness.example"), "x@https://witness.example".to_owned()] {
            assert!(text.parse::<Witness>().is_err(), "{text}");
        }
    }
}
