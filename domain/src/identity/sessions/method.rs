//! How somebody signed in, what carries the session, and why it ended.

use serde::{Deserialize, Serialize};

/// The door somebody came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    Password,
    MagicLink,
    /// An identity provider (OpenID Connect).
    Oidc,
    Invitation,
    /// The person is signed in to a linked account in another organization.
    Switch,
}

/// What was proven, by the names of RFC 8176 where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Factor {
    #[serde(rename = "pwd")]
    Password,
    /// A code of an authenticator; of sessions from before `sent` was told apart, one that was sent as well.
    #[serde(rename = "otp")]
    OneTimeCode,
    /// A code that was sent by mail or by text message.
    #[serde(rename = "sent")]
    SentCode,
    /// A link that was sent to the user's mailbox.
    #[serde(rename = "link")]
    Link,
    #[serde(rename = "recovery")]
    RecoveryCode,
    /// An identity provider vouches.
    #[serde(rename = "fed")]
    Federated,
    /// More than one of these.
    #[serde(rename = "mfa")]
    Multiple,
}

/// What the client keeps of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    Cookie,
    Bearer,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    SignedOut,
    /// The user ended it from another device (E-115).
    ByUser,
    /// Somebody else ended it (E-116).
    ByAdmin,
    PasswordChanged,
    /// E-117.
    Suspicious,
    /// The user signed in on more devices than one may.
    Displaced,
}

macro_rules! names {
    ($($type:ident { $($variant:ident = $name:literal),* })*) => {$(
        impl $type {
            /// The stored name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    )*};
}

names! {
    SignInMethod { Password = "password", MagicLink = "magic_link", Oidc = "oidc", Invitation = "invitation", Switch = "switch" }
    Carrier { Cookie = "cookie", Bearer = "bearer" }
    Factor { Password = "pwd", OneTimeCode = "otp", SentCode = "sent", Link = "link", RecoveryCode = "recovery", Federated = "fed", Multiple = "mfa" }
    RevocationReason {
        SignedOut = "signed_out", ByUser = "by_user", ByAdmin = "by_admin", PasswordChanged = "password_changed",
        Suspicious = "suspicious", Displaced = "displaced"
    }
}
