//! Why a command for an organization's own policies is refused.

use super::aggregate::{DRAFT_TEXT_MAX_BYTES, POLICIES_MAX, TEMPLATES_MAX, TEXT_MAX_BYTES};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyStoreError {
    #[error("no such policy in the draft")]
    PolicyNotFound,
    #[error("no such template")]
    TemplateNotFound,
    #[error("no such version, or it is no longer kept")]
    VersionNotFound,
    #[error("the policy already exists")]
    AlreadyExists,
    #[error("a policy's name has 1 to 64 lower-case letters, digits, hyphens and underscores, and begins with a letter")]
    NameInvalid,
    #[error("a policy of the draft, or a template, has this name")]
    NameTaken,
    #[error("the text of a policy has at most {TEXT_MAX_BYTES} bytes")]
    TextTooLong,
    #[error("the policies of a draft have at most {DRAFT_TEXT_MAX_BYTES} bytes together")]
    DraftTooLarge,
    #[error("an organization has at most {POLICIES_MAX} policies of its own")]
    TooManyPolicies,
    #[error("an organization has at most {TEMPLATES_MAX} templates of its own")]
    TooManyTemplates,
    #[error("a policy of the draft, or one that holds, is made of this template")]
    TemplateInUse,
    #[error("the draft is what holds already")]
    NothingChanged,
    #[error("the version holds already")]
    VersionHolds,
}

impl Refusal for PolicyStoreError {
    fn code(&self) -> Code {
        match self {
            Self::PolicyNotFound | Self::TemplateNotFound | Self::VersionNotFound => Code::ResourceNotFound,
            Self::NameInvalid | Self::TextTooLong => Code::ValidationError,
            Self::AlreadyExists
            | Self::NameTaken
            | Self::DraftTooLarge
            | Self::TooManyPolicies
            | Self::TooManyTemplates
            | Self::TemplateInUse
            | Self::NothingChanged
            | Self::VersionHolds => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::PolicyNotFound => "identity.policy_not_found",
            Self::TemplateNotFound => "identity.policy_template_not_found",
            Self::VersionNotFound => "identity.policy_version_not_found",
            Self::AlreadyExists => "identity.policy_already_exists",
            Self::NameInvalid => "identity.policy_name_invalid",
            Self::NameTaken => "identity.policy_name_taken",
            Self::TextTooLong => "identity.policy_text_too_long",
            Self::DraftTooLarge => "identity.policy_draft_too_large",
            Self::TooManyPolicies => "identity.too_many_policies",
            Self::TooManyTemplates => "identity.too_many_policy_templates",
            Self::TemplateInUse => "identity.policy_template_in_use",
            Self::NothingChanged => "identity.policy_nothing_changed",
            Self::VersionHolds => "identity.policy_version_holds",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid | Self::NameTaken => Some("name"),
            Self::TextTooLong => Some("text"),
            _ => None,
        }
    }
}
