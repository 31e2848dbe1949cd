//! Why a command for a key is refused.

use crate::{
    identity::role_catalogue::GRANTS_MAX,
    kernel::{Code, Refusal},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    #[error("no such key")]
    NotFound,
    #[error("the key already exists")]
    AlreadyExists,
    #[error("a key's name has 1 to 100 characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("a key grants 1 to {GRANTS_MAX} permissions")]
    GrantCountInvalid,
    #[error("a quota is 1 to 100000000 requests")]
    QuotaInvalid,
    #[error("a key expires in the future")]
    ExpiryInvalid,
    #[error("the former secret stays good for at most 24 hours")]
    OverlapInvalid,
    #[error("the key is revoked")]
    Revoked,
    #[error("the key is expired")]
    Expired,
}

impl Refusal for ApiKeyError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::NameInvalid | Self::GrantCountInvalid | Self::QuotaInvalid | Self::ExpiryInvalid | Self::OverlapInvalid => {
                Code::ValidationError
            }
            Self::AlreadyExists | Self::Revoked | Self::Expired => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.api_key_not_found",
            Self::AlreadyExists => "identity.api_key_already_exists",
            Self::NameInvalid => "identity.api_key_name_invalid",
            Self::GrantCountInvalid => "identity.api_key_grant_count",
            Self::QuotaInvalid => "identity.api_key_quota_invalid",
            Self::ExpiryInvalid => "identity.api_key_expiry_invalid",
            Self::OverlapInvalid => "identity.api_key_overlap_invalid",
            Self::Revoked => "identity.api_key_revoked",
            Self::Expired => "identity.api_key_expired",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid => Some("name"),
            Self::GrantCountInvalid => Some("grants"),
            Self::QuotaInvalid => Some("quota.requests"),
            Self::ExpiryInvalid => Some("expires_at"),
            Self::OverlapInvalid => Some("overlap_seconds"),
            _ => None,
        }
    }
}
