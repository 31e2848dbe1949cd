//! The keys of tokens, as they stand in their file: a server takes those of a rotation while it serves.

use crate::{
    cli::ServerSettings,
    pipeline::{TokenKeys, keys::KeyFault},
};
use anyhow::Context;
use palmares_projections::engine::stop::Stop;
use std::{path::PathBuf, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// How often the file is looked at; it has a few hundred bytes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks after the file.
pub(super) struct KeyFileFollower {
    path: PathBuf,
    tokens: Arc<TokenKeys>,
    /// What the file said last, whether it could be used or not: a fault is told once.
    known: Zeroizing<String>,
    unreadable: bool,
}

/// The keys of the file, and what keeps them as the file is.
pub(super) fn open(settings: &ServerSettings) -> anyhow::Result<(Arc<TokenKeys>, KeyFileFollower)> {
    let path = settings.jwt_key_file.clone();
    let known = Zeroizing::new(std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?);
    let tokens = TokenKeys::from_pems(&settings.issuer, &settings.audience, [known.as_str()])?;
    let tokens = Arc::new(tokens.in_environment(settings.environment.clone()).by_clock(settings.clock.clone()));
    Ok((tokens.clone(), KeyFileFollower { path, tokens, known, unreadable: false }))
}

impl KeyFileFollower {
    /// Takes what the file says, whenever it says something else.
    pub async fn follow(mut self, mut stop: Stop) {
        while stop.pause(LOOK_EVERY).await {
            let read = tokio::fs::read_to_string(&self.path).await.map(Zeroizing::new);
            self.look(read);
        }
    }

    fn look(&mut self, read: std::io::Result<Zeroizing<String>>) {
        let path = self.path.display();
        match read {
            Ok(text) if text != self.known => {
                match self.tokens.replace(&text) {
                    Ok(()) => tracing::info!(%path, "the keys of tokens have changed, and are in use"),
                    Err(fault) => Self::stay(&path, &fault),
                }
                (self.known, self.unreadable) = (text, false);
            }
            Ok(_) => self.unreadable = false,
            Err(source) => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    Self::stay(&path, &KeyFault::File { path: path.to_string(), source });
                }
            }
        }
    }

    fn stay(path: &dyn std::fmt::Display, fault: &KeyFault) {
        tracing::error!(%path, %fault, "the keys of tokens cannot be used as they stand in their file; those from before stay in use");
    }
}
