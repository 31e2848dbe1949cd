//! Bearer tokens: signed with Ed25519, verified against a fixed algorithm per key (RFC 7519, RFC 8037).
//!
//! The key's id is its RFC 7638 thumbprint, so a key has one name wherever it is loaded. The first
//! private key signs and all are accepted, which is how keys are rotated ([`super::key_file`]); they
//! can be replaced while they are in use.

use super::{
    concealed::Concealer,
    environment::Environment,
    keys::{Ed25519Key, KeyFault},
    told::Told,
};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use palmares_commands::engine::Clock;
use palmares_domain::{
    identity::RoleRef,
    kernel::{OrganizationId, SessionId, UserId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use uuid::Uuid;

/// A longer token is refused before it is read, in bytes.
const TOKEN_MAX_BYTES: usize = 8 * 1024;

/// How far a minted token's `nbf` lies in the past, so that nodes need not agree on the second.
const CLOCK_SKEW_SECONDS: u64 = 5;

/// What a token says, as far as the gate reads it. All of it is required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The user's own organization.
    pub org: OrganizationId,
    /// The roles that the token may be used with: of those the user has, when it is used.
    pub roles: Vec<RoleRef>,
    /// Where it is good: a token of `staging` opens nothing in `production`, whoever signed it (H-28).
    pub env: Environment,
    /// The session to which it belongs; none where an operator made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    pub jti: Uuid,
    pub iat: u64,
    pub nbf: u64,
    pub exp: u64,
}

/// A token as it is signed.
#[derive(Serialize)]
struct Minted {
    #[serde(flatten)]
    claims: Claims,
    #[serde(flatten)]
    told: Told,
}

/// Why a token is not accepted. Callers learn only that it is not.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    #[error("the token has {0} bytes")]
    TooLong(usize),
    #[error("the token names no key")]
    NoKeyId,
    #[error("the token names a key that is not ours")]
    UnknownKey,
    #[error("the token has critical headers, and none is understood")]
    CriticalHeader,
    #[error("the token is of the environment {0}")]
    OtherEnvironment(Environment),
    #[error(transparent)]
    Refused(#[from] jsonwebtoken::errors::Error),
}

struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

/// The keys of this deployment, and the names it signs and accepts tokens under.
pub struct TokenKeys {
    issuer: String,
    audience: String,
    environment: Environment,
    /// What is signed is dated by it, and what is over is over by it.
    clock: Clock,
    /// Replaced as a whole: whoever has begun with some keys ends with them.
    keys: RwLock<Arc<KeySet>>,
}

/// Keys that are in use together.
struct KeySet {
    signing: Option<(String, EncodingKey)>,
    concealer: Option<Arc<Concealer>>,
    verifiers: HashMap<String, Verifier>,
    jwks: serde_json::Value,
}

impl KeySet {
    fn of(issuer: &str, audience: &str, keys: &[Ed25519Key]) -> Self {
        let signing = keys.iter().find_map(|key| Some((key.id(), EncodingKey::from_ed_der(key.private_der()?))));
        let verifier =
            |key: &Ed25519Key| Verifier { key: DecodingKey::from_ed_der(key.public()), validation: validation(issuer, audience) };
        let verifiers = keys.iter().map(|key| (key.id(), verifier(key))).collect();
        let jwks = serde_json::json!({ "keys": keys.iter().map(Ed25519Key::jwk).collect::<Vec<_>>() });
        let concealer = keys.iter().find_map(|key| Concealer::derived_from(key.private_der()?)).map(Arc::new);
        Self { signing, concealer, verifiers, jwks }
    }

    /// What verifies a token, by the key that it names.
    fn verifier(&self, token: &str) -> Result<&Verifier, TokenFault> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenFault::TooLong(token.len()));
        }
        let header = jsonwebtoken::decode_header(token)?;
        if header.crit.is_some() {
            return Err(TokenFault::CriticalHeader);
        }
        let id = header.kid.ok_or(TokenFault::NoKeyId)?;
        self.verifiers.get(&id).ok_or(TokenFault::UnknownKey)
    }
}

impl TokenKeys {
    /// Takes PEM texts of one or more blocks: PKCS#8 private keys, or public keys that only verify. The
    /// first private key signs. The environment is that of production.
    ///
    /// # Errors
    /// A text that is not an Ed25519 key in PEM.
    pub fn from_pems<'a>(issuer: &str, audience: &str, pems: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyFault> {
        let mut keys = Vec::new();
        for text in pems {
            keys.extend(Ed25519Key::all_in(text)?);
        }
        let keys = RwLock::new(Arc::new(KeySet::of(issuer, audience, &keys)));
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Ok(Self { issuer, audience, environment: Environment::default(), clock: Clock::default(), keys })
    }

    /// What conceals texts from those who keep them for us.
    ///
    /// # Errors
    /// Where no private key was given.
    pub fn concealer(&self) -> Result<Arc<Concealer>, KeyFault> {
        self.current().concealer.clone().ok_or(KeyFault::NoPrivateKey)
    }

    /// The same for another environment than production.
    #[must_use]
    pub fn in_environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// The same by another clock than the system's.
    #[must_use]
    pub fn by_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The time by which it signs and accepts.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn now_seconds(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or_default()
    }

    /// Takes other keys from now on, without a moment in which there are none.
    ///
    /// # Errors
    /// A text that is not made of Ed25519 keys, or that has no private one while something is signed
    /// here: the keys then stay as they are.
    pub fn replace(&self, pems: &str) -> Result<(), KeyFault> {
        let keys = KeySet::of(&self.issuer, &self.audience, &Ed25519Key::all_in(pems)?);
        if keys.signing.is_none() && self.current().signing.is_some() {
            return Err(KeyFault::NoPrivateKey);
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn current(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The public keys as a JWK set (RFC 7517), the one that signs first.
    pub fn jwks(&self) -> serde_json::Value {
        self.current().jwks.clone()
    }

    /// A signed token for a user, valid from now for `ttl`.
    ///
    /// # Errors
    /// Where no private key was given.
    pub fn mint(
        &self,
        user: UserId,
        organization: OrganizationId,
        roles: impl IntoIterator<Item = impl Into<RoleRef>>,
        ttl: Duration,
    ) -> Result<String, KeyFault> {
        self.mint_for(None, user, organization, roles, Told::default(), ttl)
    }

    /// The same for a session of the user, with which the token ends, and with what its holder is told.
    ///
    /// # Errors
    /// Where no private key was given.
    pub fn mint_for(
        &self,
        session: Option<SessionId>,
        user: UserId,
        organization: OrganizationId,
        roles: impl IntoIterator<Item = impl Into<RoleRef>>,
        told: Told,
        ttl: Duration,
    ) -> Result<String, KeyFault> {
        let now = self.now_seconds();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user,
            org: organization,
            roles: roles.into_iter().map(Into::into).collect(),
            env: self.environment.clone(),
            sid: session,
            jti: Uuid::now_v7(),
            iat: now,
            nbf: now.saturating_sub(CLOCK_SKEW_SECONDS),
            exp: now + ttl.as_secs(),
        };
        self.sign(&Minted { claims, told })
    }

    /// A signed text for one purpose, such as the link in a letter: only [`Self::unseal`] with the same
    /// purpose takes it. Nothing in it is random, so the same content until the same moment gives the
    /// same text: nobody has to keep it to send it again.
    ///
    /// # Errors
    /// Where no private key was given.
    pub fn seal<T: Serialize>(&self, purpose: &str, content: &T, until: DateTime<Utc>) -> Result<String, KeyFault> {
        let exp = u64::try_from(until.timestamp()).unwrap_or_default();
        self.sign(&Sealed { iss: self.issuer.clone(), aud: self.audience_for(purpose), exp, content })
    }

    /// The content of a text that was sealed for this purpose, while it is good.
    ///
    /// # Errors
    /// Any fault of form, key, signature, issuer, purpose or time.
    pub fn unseal<T: DeserializeOwned>(&self, purpose: &str, text: &str) -> Result<T, TokenFault> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[self.audience_for(purpose)]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_exp = false;
        let keys = self.current();
        let key = &keys.verifier(text)?.key;
        let sealed = jsonwebtoken::decode::<Sealed<T>>(text, key, &validation)?.claims;
        self.check_time(0, sealed.exp)?;
        Ok(sealed.content)
    }

    /// No leeway: an expired token is expired, and minting already dates `nbf` back. The library knows the
    /// system's clock only.
    fn check_time(&self, not_before: u64, expires: u64) -> Result<(), TokenFault> {
        let now = self.now_seconds();
        let fault = match () {
            () if expires < now => ErrorKind::ExpiredSignature,
            () if not_before > now => ErrorKind::ImmatureSignature,
            () => return Ok(()),
        };
        Err(TokenFault::Refused(fault.into()))
    }

    /// A sealed text is good in one environment too, so its audience says which.
    fn audience_for(&self, purpose: &str) -> String {
        format!("{}/{}/{purpose}", self.audience, self.environment)
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    fn sign<T: Serialize>(&self, claims: &T) -> Result<String, KeyFault> {
        self.sign_as("JWT", claims)
    }

    pub(super) fn sign_as<T: Serialize>(&self, of_type: &str, claims: &T) -> Result<String, KeyFault> {
        let keys = self.current();
        let (id, key) = keys.signing.as_ref().ok_or(KeyFault::NoPrivateKey)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(of_type.to_owned());
        header.kid = Some(id.clone());
        jsonwebtoken::encode(&header, claims, key).map_err(|_| KeyFault::NotEd25519)
    }

    /// The claims of a token that this deployment signed for itself and that is valid now.
    ///
    /// # Errors
    /// Any fault of form, key, algorithm, signature, issuer, audience, environment or time.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        let keys = self.current();
        let verifier = keys.verifier(token)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &verifier.key, &verifier.validation)?.claims;
        if claims.env != self.environment {
            return Err(TokenFault::OtherEnvironment(claims.env));
        }
        self.check_time(claims.nbf, claims.exp)?;
        Ok(claims)
    }
}

/// A text for one purpose.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    iss: String,
    aud: String,
    exp: u64,
    #[serde(flatten)]
    content: T,
}

/// All but the time, which [`TokenKeys::check_time`] looks at.
fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
