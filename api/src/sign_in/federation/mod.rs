//! Signing in at an identity provider by OpenID Connect: what is asked of the provider, and for whom it
//! vouches (W-21, W-59).
//!
//! Code flow with PKCE (RFC 7636) and nonce. The provider's documents are kept for ten minutes; a token
//! under a key that they do not know has them fetched once more, which is how providers rotate keys.

mod flow;
mod outbound;
mod vouched;

pub use flow::{FLOW_COOKIE, Flow, is_own_path};
pub use vouched::Vouched;

use crate::{pipeline::route::BASE, problem::Problem, secrets::secret};
use anyhow::{Context, anyhow};
use moka::future::Cache;
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    core::{CoreClient, CoreClientAuthMethod, CoreProviderMetadata, CoreResponseType},
};
use outbound::Outbound;
use palmares_domain::{identity::connection::Provider, kernel::Code};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How long the documents of a provider are kept.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);
const KEPT_MAX: u64 = 1_000;

/// What an operator says of it.
#[derive(Clone, Debug, Default)]
pub struct FederationSettings {
    /// Where people reach the system: providers send them back there.
    pub public_url: String,
    /// Holds the secrets of clients: in a folder per organization, so that none can name another's.
    pub secrets_dir: Option<PathBuf>,
    /// Whether providers on this machine may do without TLS: in development alone.
    pub insecure_loopback: bool,
}

/// Asks identity providers for people.
pub struct Federation {
    settings: FederationSettings,
    outbound: Outbound,
    known: Cache<String, Arc<CoreProviderMetadata>>,
}

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Where a browser is sent, and what has to come back.
pub struct Begun {
    pub location: String,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

impl Federation {
    /// # Errors
    /// Certificates of the machine that cannot be read.
    pub fn new(settings: FederationSettings) -> anyhow::Result<Self> {
        let outbound = Outbound::new(settings.insecure_loopback).context("preparing to ask identity providers")?;
        Ok(Self { settings, outbound, known: Cache::builder().max_capacity(KEPT_MAX).time_to_live(KEPT_FOR).build() })
    }

    /// Whether providers on this machine may do without TLS.
    pub fn insecure_loopback(&self) -> bool {
        self.settings.insecure_loopback
    }

    /// Begins to sign someone in.
    ///
    /// # Errors
    /// A provider that cannot be asked.
    pub async fn begin(&self, provider: &Provider) -> Result<Begun, Problem> {
        let client = self.client(provider, &*self.metadata(provider).await?).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).set_pkce_challenge(challenge);
        let request = request.add_scopes(provider.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new));
        let (location, state, nonce) = request.url();
        Ok(Begun { location: location.into(), state: state.into_secret(), nonce: nonce.secret().clone(), verifier: verifier.into_secret() })
    }

    /// Redeems the code that a provider sent, and hears for whom it vouches.
    ///
    /// # Errors
    /// A code that the provider does not take (any more), a token that does not prove anything to us,
    /// a provider that cannot be asked.
    pub async fn redeem(&self, provider: &Provider, flow: &Flow, code: String) -> Result<Vouched, Problem> {
        let client = self.client(provider, &*self.metadata(provider).await?).await?;
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(unavailable)?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        let tokens = exchange.request_async(&self.outbound).await.map_err(|error| match error {
            openidconnect::RequestTokenError::ServerResponse(answer) => disbelieved(anyhow!("the provider takes no such code: {answer}")),
            error => unavailable(error),
        })?;
        let nonce = Nonce::new(flow.nonce.clone());
        let claims = match vouched::verified(&client, &tokens, &nonce) {
            // The provider may have rotated its keys since its documents were fetched.
            Err(fault) if fault.is_unknown_key() => {
                self.known.invalidate(provider.issuer.as_str()).await;
                let client = self.client(provider, &*self.metadata(provider).await?).await?;
                vouched::verified(&client, &tokens, &nonce)
            }
            verified => verified,
        };
        vouched::complete(&client, &self.outbound, &tokens, claims.map_err(disbelieved)?).await
    }

    /// The documents of a provider.
    async fn metadata(&self, provider: &Provider) -> Result<Arc<CoreProviderMetadata>, Problem> {
        let issuer = provider.issuer.as_str();
        // Settings may have become stricter since it was configured.
        if !provider.issuer.is_acceptable(self.settings.insecure_loopback) {
            return Err(unavailable(anyhow!("{issuer} may not be asked")));
        }
        let fetched = self.known.try_get_with_by_ref(issuer, async {
            let url = IssuerUrl::new(issuer.to_owned())?;
            let metadata = CoreProviderMetadata::discover_async(url, &self.outbound).await;
            anyhow::Ok(Arc::new(metadata.with_context(|| format!("the documents of {issuer}"))?))
        });
        fetched.await.map_err(|error| unavailable(anyhow!("{error:#}")))
    }

    /// Us, towards a provider.
    async fn client(&self, provider: &Provider, metadata: &CoreProviderMetadata) -> Result<Client, Problem> {
        let secret = self.secret(provider).await?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let callback = RedirectUrl::new(format!("{}{BASE}/auth/oidc/callback", self.settings.public_url)).map_err(Problem::internal)?;
        let client = CoreClient::from_provider_metadata(metadata.clone(), ClientId::new(provider.client_id.clone()), secret);
        let auth_type = if basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        Ok(client.set_auth_type(auth_type).set_redirect_uri(callback))
    }

    async fn secret(&self, provider: &Provider) -> Result<Option<ClientSecret>, Problem> {
        let Some(name) = &provider.secret_ref else { return Ok(None) };
        let secret = secret(self.settings.secrets_dir.as_deref(), provider.organization_id, name).await.map_err(unavailable)?;
        Ok(Some(ClientSecret::new(secret.to_string())))
    }
}

/// Nobody can be signed in by this connection now; the operator learns why.
fn unavailable(cause: impl Into<anyhow::Error>) -> Problem {
    Problem { cause: Some(cause.into()), ..Problem::new(Code::ServiceUnavailable, "sign_in.provider_unavailable") }
}

/// What came from the provider proves nothing; the operator learns why.
fn disbelieved(cause: impl Into<anyhow::Error>) -> Problem {
    let cause: anyhow::Error = cause.into();
    tracing::warn!(error = format!("{cause:#}"), "an identity provider's answer was not believed");
    crate::sign_in::entrance::failed()
}

/// No connection, a disabled one, an organization that is none: which, nobody is told.
pub fn not_connected() -> Problem {
    Problem::new(Code::ResourceNotFound, "sign_in.not_connected")
}
