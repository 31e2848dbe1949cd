//! The sealer of a benchmark, with a key of its own.

use crate::server::Server;
use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use palmares_domain::kernel::{OrganizationId, Place};
use palmares_projections::engine::{
    KeyError, PersonalKeys, Readers,
    head::HeadSignal,
    log::Log,
    sealing::{Outside, Sealer, Signers, SigningKeys},
};
use std::sync::Arc;
use uuid::Uuid;

struct Keys(Arc<SigningKey>);

impl SigningKeys for Keys {
    fn signers(&self) -> anyhow::Result<Signers> {
        Ok(Signers { current: self.0.clone(), next: None })
    }
}

/// Nothing that is read here is personal.
pub struct NoKeys;

#[async_trait]
impl PersonalKeys for NoKeys {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }

    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }

    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        Ok([0; 32])
    }
}

/// What seals the log of a run, and reads it.
pub struct Notary {
    pub log: Log,
    pub readers: Readers,
    pub key: Arc<SigningKey>,
    outside: Outside,
}

impl Drop for Notary {
    fn drop(&mut self) {
        // Where nothing was sealed there is no file.
        let _ = std::fs::remove_file(self.outside.path());
    }
}

impl Notary {
    pub async fn open(server: &Server) -> anyhow::Result<Self> {
        let outside = std::env::temp_dir().join(format!("palmares-bench-checkpoint-{}", Uuid::now_v7().simple()));
        Ok(Self {
            log: Log::new(server.pool(server.options_as("palmares_relay"), 4).await?),
            readers: Readers::new(server.pool(server.options_as("palmares_reader"), 1).await?, Arc::new(NoKeys)),
            outside: Outside::new(&outside),
            key: Arc::new(SigningKey::from_bytes(&[1; 32])),
        })
    }

    pub fn sealer(&self, head: &Arc<HeadSignal>) -> Sealer {
        Sealer::new(self.log.clone(), head.clone(), Arc::new(Keys(self.key.clone())), self.outside.clone())
    }
}
