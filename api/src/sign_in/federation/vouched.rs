//! What a provider says of a person, once it is verified (OpenID Connect Core 1.0, 3.1.3.7).

use super::{Client, outbound::Outbound, unavailable};
use crate::problem::Problem;
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, OAuth2TokenResponse, SignatureVerificationError, SigningError, TokenResponse,
    core::{CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreTokenResponse, CoreUserInfoClaims},
};

/// With a key that the provider publishes: a shared secret, or none, would prove less.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
const NAME_MAX_CHARS: usize = 200;

/// A person for whom a provider vouches.
pub struct Vouched {
    /// What it calls them, forever.
    pub subject: String,
    /// Their address, where the provider says that it verified it.
    pub verified_email: Option<String>,
    pub name: Option<String>,
}

/// Why an ID token proves nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the provider gave no ID token")]
    Missing,
    #[error(transparent)]
    Refused(#[from] ClaimsVerificationError),
    #[error("the access token is not the one that the ID token names")]
    AccessToken,
    #[error(transparent)]
    Hash(#[from] SigningError),
    #[error(transparent)]
    Signature(#[from] SignatureVerificationError),
}

impl TokenFault {
    pub(super) fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)))
    }
}

/// The claims of an ID token: signed by the provider, for us, now, and for this attempt.
pub(super) fn verified(client: &Client, tokens: &CoreTokenResponse, nonce: &Nonce) -> Result<CoreIdTokenClaims, TokenFault> {
    let token = tokens.id_token().ok_or(TokenFault::Missing)?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let claims = token.claims(&verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let hash = AccessTokenHash::from_token(tokens.access_token(), token.signing_alg()?, token.signing_key(&verifier)?)?;
        if hash != *expected {
            return Err(TokenFault::AccessToken);
        }
    }
    Ok(claims.clone())
}

/// The person: by the ID token, and by the provider's user info where the token leaves the address out.
pub(super) async fn complete(
    client: &Client,
    outbound: &Outbound,
    tokens: &CoreTokenResponse,
    claims: CoreIdTokenClaims,
) -> Result<Vouched, Problem> {
    let name = |name: &str| Some(name.trim().to_owned()).filter(|name| (1..=NAME_MAX_CHARS).contains(&name.chars().count()));
    let subject = claims.subject().clone();
    let mut vouched = Vouched {
        subject: subject.to_string(),
        verified_email: claims.email().filter(|_| claims.email_verified() == Some(true)).map(|email| email.to_string()),
        name: claims.name().and_then(|names| names.get(None)).and_then(|given| name(given)),
    };
    if claims.email().is_some() {
        return Ok(vouched);
    }
    // Only of the same subject: the answer to a token is not signed.
    if let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) {
        let info: CoreUserInfoClaims = request.request_async(outbound).await.map_err(unavailable)?;
        vouched.verified_email = info.email().filter(|_| info.email_verified() == Some(true)).map(|email| email.to_string());
        vouched.name = vouched.name.or_else(|| info.name().and_then(|names| names.get(None)).and_then(|given| name(given)));
    }
    Ok(vouched)
}
