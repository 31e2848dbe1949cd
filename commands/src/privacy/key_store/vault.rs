//! HashiCorp Vault as key store: the transit engine wraps data keys, and no epoch key ever leaves it.
//!
//! An organization has one transit key `<prefix>-<organization>`, whose versions are its epochs: a
//! rotation makes a version, and the old ones are forbidden and trimmed, which deletes them. Beside it
//! stands `<prefix>-<organization>-index`, which is never rotated: the index key is an HMAC of a
//! constant under it, so it is stored nowhere and no rotation of epochs touches it.

mod answers;
#[cfg(test)]
mod tests;

use super::{Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError};
use crate::outbound::{self, AnswerFault, Outbound};
use crate::privacy::Secret;
use answers::{Answer, BatchResult, Encrypted, Hmac, KeyInfo, Refusal};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use palmares_domain::kernel::OrganizationId;
use reqwest::{Client, Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Longer than Vault takes for a batch, shorter than a request may wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// A batch of data keys has some kilobytes.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;
/// What the index key is the HMAC of. Changing it would lose every claim.
const INDEX_INPUT: &[u8] = b"palmares/index_key/1";

/// Where Vault is, and how it knows us.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    pub address: Url,
    /// Holds the token. It is read again for each request, so an agent may renew it.
    pub token_file: PathBuf,
    /// Where the transit engine is mounted.
    pub mount: String,
    /// What the names of keys begin with: systems that share an engine need different ones.
    pub prefix: String,
}

/// Keys in Vault.
pub struct VaultKeyStore {
    api: Arc<Api>,
}

impl VaultKeyStore {
    pub fn new(settings: VaultSettings) -> Result<Self, KeyStoreError> {
        let client = Outbound::within(PATIENCE).build();
        let client = client.map_err(|error| KeyStoreError::Unreachable(error.to_string()))?;
        Ok(Self { api: Arc::new(Api { client, settings }) })
    }

    /// Whether Vault answers, knows the token and lets it at the transit engine.
    pub async fn check(&self) -> Result<(), KeyStoreError> {
        self.api.key_info(&format!("{}-check", self.api.settings.prefix)).await.map(drop)
    }

    fn name(&self, organization: OrganizationId) -> String {
        format!("{}-{organization}", self.api.settings.prefix)
    }

    /// What Vault says of a key, made where it is missing. Making it twice is making it once.
    async fn ensured(&self, name: &str) -> Result<KeyInfo, KeyStoreError> {
        if let Some(info) = self.api.key_info(name).await? {
            return Ok(info);
        }
        let body = json!({ "type": "aes256-gcm96", "exportable": false, "allow_plaintext_backup": false });
        self.api.done("the making of a key", &format!("keys/{name}"), body).await?;
        self.api.key_info(name).await?.ok_or_else(|| refused("the making of a key", "it is not there afterwards"))
    }
}

#[async_trait]
impl KeyStore for VaultKeyStore {
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, KeyStoreError> {
        let name = self.name(organization);
        match self.api.key_info(&name).await? {
            Some(info) if info.has(epoch) => Ok(Arc::new(VaultEpochKey { api: Arc::clone(&self.api), name, organization, epoch })),
            _ => Err(KeyStoreError::NoSuchEpoch { organization, epoch }),
        }
    }

    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        Ok(Epoch(self.ensured(&self.name(organization)).await?.latest_version))
    }

    async fn begin_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        let name = self.name(organization);
        if self.api.key_info(&name).await?.is_none() {
            return self.current_epoch(organization).await;
        }
        self.api.done("a rotation", &format!("keys/{name}/rotate"), json!({})).await?;
        self.current_epoch(organization).await
    }

    async fn destroy_epochs_before(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), KeyStoreError> {
        let name = self.name(organization);
        match self.api.key_info(&name).await? {
            Some(info) if info.latest_version >= epoch.0 && info.min_available_version < epoch.0 => {}
            Some(info) if info.latest_version >= epoch.0 => return Ok(()),
            _ => return Err(KeyStoreError::NoSuchEpoch { organization, epoch }),
        }
        // Forbidden first: what may be trimmed is what may not be used.
        let forbidden = json!({ "min_decryption_version": epoch.0, "min_encryption_version": epoch.0 });
        self.api.done("the end of an epoch", &format!("keys/{name}/config"), forbidden).await?;
        self.api.done("the trimming of a key", &format!("keys/{name}/trim"), json!({ "min_available_version": epoch.0 })).await
    }

    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError> {
        let name = format!("{}-index", self.name(organization));
        self.ensured(&name).await?;
        let input = json!({ "input": BASE64.encode(INDEX_INPUT), "key_version": 1 });
        let hmac: Hmac = self.api.asked("an HMAC", &format!("hmac/{name}/sha2-256"), input).await?;
        let secret = hmac.hmac.strip_prefix("vault:v1:").and_then(secret);
        secret.map(IndexKey).ok_or_else(|| refused("an HMAC", "its answer is not one of 32 bytes"))
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// One version of an organization's key.
struct VaultEpochKey {
    api: Arc<Api>,
    name: String,
    organization: OrganizationId,
    epoch: Epoch,
}

impl VaultEpochKey {
    fn is_gone(&self) -> KeyStoreError {
        KeyStoreError::NoSuchEpoch { organization: self.organization, epoch: self.epoch }
    }

    async fn batch(&self, operation: &'static str, path: &str, items: Vec<Value>) -> Result<Vec<BatchResult>, KeyStoreError> {
        let asked = items.len();
        let body = json!({ "batch_input": items });
        // One item that fails makes the status 400, and the others are answered beside it.
        let results: Encrypted = self.api.asked(operation, &format!("{path}/{}", self.name), body).await?;
        match results.batch_results.len() == asked {
            true => Ok(results.batch_results),
            false => Err(refused(operation, "an answer of another length")),
        }
    }
}

#[async_trait]
impl EpochKey for VaultEpochKey {
    async fn wrap(&self, secrets: &[(Vec<u8>, Secret)]) -> Result<Vec<Vec<u8>>, KeyStoreError> {
        if secrets.is_empty() {
            return Ok(Vec::new());
        }
        let item = |(associated, secret): &(Vec<u8>, Secret)| json!({ "plaintext": BASE64.encode(secret.bytes()), "associated_data": BASE64.encode(associated), "key_version": self.epoch.0 });
        let results = self.batch("an encryption", "encrypt", secrets.iter().map(item).collect()).await?;
        let wrapped = |result: BatchResult| match (result.ciphertext, result.error) {
            (Some(ciphertext), _) if ciphertext.starts_with(&format!("vault:v{}:", self.epoch.0)) => Ok(ciphertext.into_bytes()),
            (None, Some(error)) if answers::is_of_an_old_version(&error) => Err(self.is_gone()),
            (_, error) => Err(refused("an encryption", error.unwrap_or_else(|| "another version answered".to_owned()))),
        };
        results.into_iter().map(wrapped).collect()
    }

    async fn unwrap(&self, wrapped: &[(Vec<u8>, &[u8])]) -> Result<Vec<Option<Secret>>, KeyStoreError> {
        // What is not of this version is not sent: another one might open it.
        let ours = format!("vault:v{}:", self.epoch.0);
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| text.starts_with(&ours)).map(str::to_owned);
        let texts: Vec<Option<String>> = wrapped.iter().map(|(_, wrapped)| text(wrapped)).collect();
        let items: Vec<Value> = (wrapped.iter().zip(&texts))
            .filter_map(|((associated, _), text)| {
                Some(json!({ "ciphertext": text.as_ref()?, "associated_data": BASE64.encode(associated) }))
            })
            .collect();
        if items.is_empty() {
            return Ok(vec![None; wrapped.len()]);
        }
        let mut results = self.batch("a decryption", "decrypt", items).await?.into_iter();
        let opened = texts.iter().map(|text| match text.as_ref().and_then(|_| results.next()) {
            None => Ok(None),
            Some(BatchResult { plaintext: Some(plaintext), .. }) => Ok(secret(&plaintext)),
            Some(BatchResult { error: Some(error), .. }) if answers::is_of_an_old_version(&error) => Err(self.is_gone()),
            Some(BatchResult { error: Some(error), .. }) if !answers::is_of_the_ciphertext(&error) => Err(refused("a decryption", error)),
            Some(_) => Ok(None),
        });
        opened.collect()
    }
}

/// 32 bytes in base64.
fn secret(text: &str) -> Option<Secret> {
    Secret::from_slice(&Zeroizing::new(BASE64.decode(text).ok()?))
}

fn refused(operation: &'static str, reason: impl Into<String>) -> KeyStoreError {
    KeyStoreError::Refused { operation, reason: reason.into() }
}

/// The transit engine over HTTP.
struct Api {
    client: Client,
    settings: VaultSettings,
}

impl Api {
    async fn key_info(&self, name: &str) -> Result<Option<KeyInfo>, KeyStoreError> {
        let operation = "the look at a key";
        let (status, body) = self.send(Method::GET, &format!("keys/{name}"), None).await?;
        match (status, answer::<KeyInfo>(&body)) {
            (status, Some(info)) if status.is_success() => Ok(Some(info)),
            // An engine that is not mounted says so, a key that is not there says nothing.
            (StatusCode::NOT_FOUND, _) if Refusal::of(&body).is_none() => Ok(None),
            (status, _) => Err(refused(operation, Refusal::text(status, &body))),
        }
    }

    async fn done(&self, operation: &'static str, path: &str, body: Value) -> Result<(), KeyStoreError> {
        let (status, body) = self.send(Method::POST, path, Some(body)).await?;
        if status.is_success() { Ok(()) } else { Err(refused(operation, Refusal::text(status, &body))) }
    }

    async fn asked<T: DeserializeOwned>(&self, operation: &'static str, path: &str, body: Value) -> Result<T, KeyStoreError> {
        let (status, body) = self.send(Method::POST, path, Some(body)).await?;
        answer(&body).ok_or_else(|| refused(operation, Refusal::text(status, &body)))
    }

    /// Sends a request and answers status and body. Nothing of either is logged: bodies hold keys.
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Zeroizing<Vec<u8>>), KeyStoreError> {
        let file = &self.settings.token_file;
        let token = tokio::fs::read_to_string(file).await.map_err(|source| KeyStoreError::Io { path: file.clone(), source })?;
        let token = Zeroizing::new(token);
        let address = self.settings.address.as_str().trim_end_matches('/');
        let url = format!("{address}/v1/{}/{path}", self.settings.mount);
        let mut request = self.client.request(method, url).header("X-Vault-Token", token.trim()).header("X-Vault-Request", "true");
        if let Some(body) = &body {
            request = request.json(body);
        }
        // The address is left out of what is said: it is in the settings.
        let unreachable = |error: reqwest::Error| KeyStoreError::Unreachable(error.without_url().to_string());
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = outbound::body(response, ANSWER_MAX_BYTES).await.map_err(|fault| match fault {
            AnswerFault::Failed(error) => unreachable(error),
            AnswerFault::TooLong(_) => KeyStoreError::Unreachable(fault.to_string()),
        });
        let bytes = Zeroizing::new(bytes?);
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(KeyStoreError::Unreachable(Refusal::text(status, &bytes)));
        }
        Ok((status, bytes))
    }
}

fn answer<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice::<Answer<T>>(body).ok().map(|answer| answer.data)
}
