//! Why a command for an organization is refused.

use super::{OrganizationStatus, Setting, SetupStep};
use crate::kernel::{Code, FieldError, Refusal, Standing};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    #[error("no such organization")]
    NotFound,
    #[error("the organization already exists")]
    AlreadyExists,
    #[error("a name has 1 to 200 characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("a slug has 2 to 63 characters: lower-case letters and digits, with single hyphens between them")]
    SlugInvalid,
    #[error("the slug is reserved")]
    SlugReserved,
    #[error("a reason has 1 to 500 characters")]
    ReasonInvalid,
    /// Not a way of B.2.
    #[error("an organization that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: OrganizationStatus, to: OrganizationStatus },
    #[error("the deletion of this organization was not requested")]
    NothingToCancel,
    #[error("the organization is not being set up, or the step is done")]
    NoSuchStep,
    #[error("a step of the set-up is not done")]
    SetupIncomplete(Vec<SetupStep>),
    #[error("the organization is no longer there")]
    Ended,
    #[error("the value of {} is out of range", .0.path())]
    SettingOutOfRange(Setting),
    #[error("{} has too many characters, control characters, or space around it", .0.path())]
    SettingNameInvalid(Setting),
    #[error("a logo is an https:// address")]
    LogoUrlInvalid,
    #[error("a privacy notice is at an https:// address")]
    NoticeUrlInvalid,
    #[error("a color is `#` with six hexadecimal digits")]
    ColorInvalid,
    #[error("there are 1 to 100 e-mail domains")]
    EmailDomainsInvalid,
    #[error("the platform's own organization is always active")]
    PlatformOrganization,
}

impl Refusal for OrganizationError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::NameInvalid
            | Self::SlugInvalid
            | Self::SlugReserved
            | Self::ReasonInvalid
            | Self::TransitionForbidden { .. }
            | Self::SettingOutOfRange(_)
            | Self::SettingNameInvalid(_)
            | Self::LogoUrlInvalid
            | Self::NoticeUrlInvalid
            | Self::ColorInvalid
            | Self::EmailDomainsInvalid => Code::ValidationError,
            Self::AlreadyExists
            | Self::NothingToCancel
            | Self::NoSuchStep
            | Self::SetupIncomplete(_)
            | Self::PlatformOrganization
            | Self::Ended => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "organizations.organization_not_found",
            Self::AlreadyExists => "organizations.organization_already_exists",
            Self::NameInvalid => "organizations.name_invalid",
            Self::SlugInvalid => "organizations.slug_invalid",
            Self::SlugReserved => "organizations.slug_reserved",
            Self::ReasonInvalid => "organizations.reason_invalid",
            Self::TransitionForbidden { .. } => "organizations.transition_forbidden",
            Self::NothingToCancel => "organizations.nothing_to_cancel",
            Self::NoSuchStep => "organizations.no_such_step",
            Self::SetupIncomplete(_) => "organizations.setup_incomplete",
            Self::PlatformOrganization => "organizations.platform_organization",
            Self::Ended => "organizations.organization_ended",
            Self::SettingOutOfRange(_) => "organizations.setting_out_of_range",
            Self::SettingNameInvalid(_) => "organizations.setting_name_invalid",
            Self::LogoUrlInvalid => "organizations.logo_url_invalid",
            Self::NoticeUrlInvalid => "organizations.notice_url_invalid",
            Self::ColorInvalid => "organizations.color_invalid",
            Self::EmailDomainsInvalid => "organizations.email_domains_invalid",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid => Some("name"),
            Self::SlugInvalid | Self::SlugReserved => Some("slug"),
            Self::ReasonInvalid => Some("reason"),
            Self::TransitionForbidden { .. } => Some("status"),
            Self::SettingOutOfRange(setting) | Self::SettingNameInvalid(setting) => Some(setting.path()),
            Self::LogoUrlInvalid => Some(Setting::LogoUrl.path()),
            Self::NoticeUrlInvalid => Some(Setting::NoticeUrl.path()),
            Self::ColorInvalid => Some(Setting::PrimaryColor.path()),
            Self::EmailDomainsInvalid => Some(Setting::AllowedEmailDomains.path()),
            _ => None,
        }
    }

    fn standing(&self) -> Option<Standing> {
        match self {
            Self::TransitionForbidden { from, .. } => Some(Standing::at(*from)),
            _ => None,
        }
    }

    fn open_points(&self) -> Vec<FieldError> {
        match self {
            Self::SetupIncomplete(missing) => {
                missing.iter().map(|step| FieldError::new(format!("setup.{}", step.name()), "organizations.setup_step_missing")).collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. })
    }
}
