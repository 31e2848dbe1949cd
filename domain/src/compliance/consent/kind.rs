//! What people may agree to, and what each of it lets be done.

use crate::kernel::Purpose;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a consent is about; each has a legal document of its own (E-175).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentType {
    TermsOfService,
    PrivacyPolicy,
    /// Activity and other data about one's health.
    HealthData,
    Marketing,
    Analytics,
}

impl ConsentType {
    pub const ALL: [ConsentType; 5] =
        [ConsentType::TermsOfService, ConsentType::PrivacyPolicy, ConsentType::HealthData, ConsentType::Marketing, ConsentType::Analytics];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ConsentType::TermsOfService => "terms_of_service",
            ConsentType::PrivacyPolicy => "privacy_policy",
            ConsentType::HealthData => "health_data",
            ConsentType::Marketing => "marketing",
            ConsentType::Analytics => "analytics",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is for, as a receipt says it.
    pub fn purpose(self) -> &'static str {
        match self {
            ConsentType::TermsOfService => "Providing the service",
            ConsentType::PrivacyPolicy => "Keeping and securing the account",
            ConsentType::HealthData => "Recording activity and health, and rewarding it",
            ConsentType::Marketing => "Telling about offers",
            ConsentType::Analytics => "Understanding how the service is used",
        }
    }

    /// The personal data that it concerns, by the purposes under which that is kept.
    pub fn data(self) -> &'static [Purpose] {
        match self {
            ConsentType::TermsOfService => &[Purpose::Profile, Purpose::Reward],
            ConsentType::PrivacyPolicy => &[Purpose::Profile, Purpose::Security],
            ConsentType::HealthData => &[Purpose::Health, Purpose::Reward],
            ConsentType::Marketing => &[Purpose::Profile],
            ConsentType::Analytics => &[Purpose::Profile],
        }
    }
}

const VERSION_MAX_CHARS: usize = 40;

/// The name of a version of a legal document, such as `2026-01` or `v3`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 40)]
pub struct DocumentVersion(String);

/// A text that is no name of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version has 1 to {VERSION_MAX_CHARS} letters, digits, dots, dashes and underscores")]
pub struct MalformedVersion;

impl TryFrom<String> for DocumentVersion {
    type Error = MalformedVersion;

    fn try_from(text: String) -> Result<Self, MalformedVersion> {
        let fits = (1..=VERSION_MAX_CHARS).contains(&text.len());
        let opaque = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if fits && opaque { Ok(Self(text)) } else { Err(MalformedVersion) }
    }
}

impl From<DocumentVersion> for String {
    fn from(version: DocumentVersion) -> Self {
        version.0
    }
}

impl DocumentVersion {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DocumentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentVersion({})", self.0)
    }
}
