//! The keys that sign the log, as they stand in their file.

use crate::pipeline::keys::Ed25519Key;
use anyhow::Context;
use aws_lc_rs::signature::Ed25519KeyPair;
use palmares_projections::engine::sealing::{Signers, SigningKeys};
use palmares_proofs::note::Sign;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The file of the keys; it is read for each seal, so that a rotation needs no restart.
pub(crate) struct LogKeyFile(PathBuf);

impl LogKeyFile {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The first private key signs, the next one was published to sign after it.
    pub fn read(&self) -> anyhow::Result<Signers> {
        let text = std::fs::read_to_string(&self.0).map(Zeroizing::new);
        let text = text.with_context(|| format!("reading {}", self.0.display()))?;
        let mut signers = Vec::new();
        for key in Ed25519Key::all_in(&text)? {
            if let Some(der) = key.private_der() {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| anyhow::anyhow!("a key is not Ed25519"))?;
                let public = key.public().try_into().context("a public key has 32 bytes")?;
                signers.push(Arc::new(Signer { pair, public }) as Arc<dyn Sign>);
            }
        }
        let mut signers = signers.into_iter();
        Ok(Signers { current: signers.next().context("the file has no private key")?, next: signers.next() })
    }
}

impl SigningKeys for LogKeyFile {
    fn signers(&self) -> anyhow::Result<Signers> {
        self.read()
    }
}

struct Signer {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl Sign for Signer {
    fn public(&self) -> [u8; 32] {
        self.public
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        // An Ed25519 signature has 64 bytes.
        self.pair.sign(message).as_ref().try_into().unwrap_or([0; 64])
    }
}
