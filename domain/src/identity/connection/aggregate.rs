//! The rules of a connection.

use super::{
    ConfigureConnection, ConnectionCommand, ConnectionConfigured, ConnectionDisabled, ConnectionEnabled, ConnectionError, ConnectionEvent,
    ConnectionKind, Issuer,
};
use crate::kernel::{Aggregate, Facts, OrganizationId};
use serde::{Deserialize, Serialize};

const CLIENT_ID_MAX: usize = 255;
const SECRET_REF_MAX: usize = 100;
const SCOPES_MAX: usize = 20;
const SCOPE_MAX: usize = 100;

/// The provider that an organization named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub organization_id: OrganizationId,
    pub kind: ConnectionKind,
    pub issuer: Issuer,
    pub client_id: String,
    pub secret_ref: Option<String>,
    pub scopes: Vec<String>,
    /// Whether people may sign in by it.
    pub enabled: bool,
}

/// The connection of one organization: nothing, until one is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Connection(Option<Provider>);

impl Connection {
    /// What is configured, enabled or not.
    pub fn provider(&self) -> Option<&Provider> {
        self.0.as_ref()
    }

    /// What people may sign in by.
    pub fn enabled(&self) -> Option<&Provider> {
        self.0.as_ref().filter(|provider| provider.enabled)
    }

    fn known(&self) -> Result<&Provider, ConnectionError> {
        self.0.as_ref().ok_or(ConnectionError::NotFound)
    }

    fn configure(&self, command: &ConfigureConnection) -> Result<Option<ConnectionEvent>, ConnectionError> {
        let provider = provider(command)?;
        let news = self.0.as_ref().is_none_or(|before| Provider { enabled: false, ..before.clone() } != provider);
        let Provider { organization_id, kind, issuer, client_id, secret_ref, scopes, .. } = provider;
        Ok(news.then(|| ConnectionConfigured { organization_id, kind, issuer, client_id, secret_ref, scopes }.into()))
    }

    fn set_enabled(&mut self, enabled: bool) {
        if let Some(provider) = &mut self.0 {
            provider.enabled = enabled;
        }
    }
}

/// The provider that a command names.
fn provider(command: &ConfigureConnection) -> Result<Provider, ConnectionError> {
    let ConfigureConnection { organization_id, kind, issuer, client_id, secret_ref, scopes, insecure_loopback } = command;
    if *kind == ConnectionKind::Saml {
        return Err(ConnectionError::SamlNotEnabled);
    }
    let issuer: Issuer = issuer.parse().map_err(|_| ConnectionError::IssuerInvalid)?;
    if !issuer.is_acceptable(*insecure_loopback) {
        return Err(ConnectionError::IssuerInsecure);
    }
    if !is_token(client_id, CLIENT_ID_MAX) {
        return Err(ConnectionError::ClientIdInvalid);
    }
    // It becomes the name of a file: nothing in it may lead elsewhere.
    let is_name = |name: &String| {
        (1..=SECRET_REF_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    if !secret_ref.as_ref().is_none_or(is_name) {
        return Err(ConnectionError::SecretRefInvalid);
    }
    // RFC 6749, 3.3.
    if scopes.len() > SCOPES_MAX || !scopes.iter().all(|scope| is_token(scope, SCOPE_MAX) && !scope.contains(['"', '\\'])) {
        return Err(ConnectionError::ScopesInvalid);
    }
    Ok(Provider {
        organization_id: *organization_id,
        kind: *kind,
        issuer,
        client_id: client_id.clone(),
        secret_ref: secret_ref.clone(),
        scopes: scopes.clone(),
        enabled: false,
    })
}

fn is_token(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Aggregate for Connection {
    const TYPE: &'static str = "identity_connection";
    const SHAPE: u16 = 1;

    type Command = ConnectionCommand;
    type Event = ConnectionEvent;
    type Error = ConnectionError;

    fn decide(&self, command: &ConnectionCommand, _facts: &Facts) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        let event = match command {
            ConnectionCommand::Configure(command) => self.configure(command)?,
            ConnectionCommand::Enable => {
                let Provider { organization_id, enabled, .. } = *self.known()?;
                (!enabled).then(|| ConnectionEnabled { organization_id }.into())
            }
            ConnectionCommand::Disable => {
                let Provider { organization_id, enabled, .. } = *self.known()?;
                enabled.then(|| ConnectionDisabled { organization_id }.into())
            }
        };
        Ok(event.into_iter().collect())
    }

    fn evolve(&mut self, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::ConnectionConfigured(configured) => {
                let ConnectionConfigured { organization_id, kind, issuer, client_id, secret_ref, scopes } = configured.clone();
                self.0 = Some(Provider { organization_id, kind, issuer, client_id, secret_ref, scopes, enabled: false });
            }
            ConnectionEvent::ConnectionEnabled(_) => self.set_enabled(true),
            ConnectionEvent::ConnectionDisabled(_) => self.set_enabled(false),
        }
    }
}
