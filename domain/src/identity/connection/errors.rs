//! Why a command for a connection is refused.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("the organization has no connection to an identity provider")]
    NotFound,
    #[error("connections by SAML are not enabled; connect by OpenID Connect")]
    SamlNotEnabled,
    #[error("an issuer is an address such as https://login.your.company, without a query")]
    IssuerInvalid,
    #[error("an issuer is reached by https at a public name")]
    IssuerInsecure,
    #[error("a client id has 1 to 255 visible ASCII characters")]
    ClientIdInvalid,
    #[error("the name of a secret has 1 to 100 lower-case letters, digits, hyphens and underscores")]
    SecretRefInvalid,
    #[error("at most 20 scopes, each of 1 to 100 visible ASCII characters without quotes")]
    ScopesInvalid,
}

impl Refusal for ConnectionError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::SamlNotEnabled
            | Self::IssuerInvalid
            | Self::IssuerInsecure
            | Self::ClientIdInvalid
            | Self::SecretRefInvalid
            | Self::ScopesInvalid => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.connection_not_found",
            Self::SamlNotEnabled => "identity.saml_not_enabled",
            Self::IssuerInvalid => "identity.issuer_invalid",
            Self::IssuerInsecure => "identity.issuer_insecure",
            Self::ClientIdInvalid => "identity.client_id_invalid",
            Self::SecretRefInvalid => "identity.secret_ref_invalid",
            Self::ScopesInvalid => "identity.scopes_invalid",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotFound => None,
            Self::SamlNotEnabled => Some("kind"),
            Self::IssuerInvalid | Self::IssuerInsecure => Some("issuer"),
            Self::ClientIdInvalid => Some("client_id"),
            Self::SecretRefInvalid => Some("secret_ref"),
            Self::ScopesInvalid => Some("scopes"),
        }
    }
}
