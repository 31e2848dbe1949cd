//! What an organization sets for itself, and what only the platform sets for it (E-08, E-42, B.5).
//!
//! A setting that nobody set follows the platform's default, also when that changes later.

use super::OrganizationError;
use crate::{
    compliance::ConsentType,
    kernel::text::is_label,
    organizations::{Locale, domain::DomainName},
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The fewest characters of a password on the platform; organizations may only ask for more.
pub const PASSWORD_MIN_LENGTH: u16 = 12;
const PASSWORD_MIN_LENGTH_MAX: u16 = 128;
/// The longest that anyone stays signed in; organizations may only ask for less.
pub const SESSION_MAX_HOURS: u16 = 720;
pub const INVITATION_VALID_HOURS: u16 = 168;
const INVITATION_VALID_HOURS_MAX: u16 = 720;
/// Days for which records stay; those of the audit trail stay seven years, whatever is set (A21).
pub const RETENTION_DAYS: u16 = 365;
const RETENTION_DAYS_RANGE: std::ops::RangeInclusive<u16> = 30..=3_653;
/// People in one team, unless the organization says otherwise (P-113).
pub const TEAM_SIZE_MAX: u16 = 50;
const TEAM_SIZE_RANGE: std::ops::RangeInclusive<u16> = 1..=500;
const NAME_MAX_CHARS: usize = 200;
const SENDER_MAX_CHARS: usize = 100;
const URL_MAX_BYTES: usize = 2_048;
const EMAIL_DOMAINS_MAX: usize = 100;

/// What an organization pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    #[default]
    Starter,
    Business,
    Enterprise,
}

/// Where an organization's rows stand (E-79).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IsolationMode {
    #[default]
    Shared,
    Dedicated,
}

/// What the platform switches on for an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureFlag {
    ApiKeys,
    ExpertSessions,
    Reporting,
    SingleSignOn,
    WhiteLabel,
}

/// What follows when a sign-in is suspicious (E-101, E-117).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuspiciousSignIn {
    /// The user is told by mail, and nothing else happens.
    #[default]
    Notify,
    /// A second factor is asked for; where nobody can be asked, the session ends.
    Challenge,
    /// The user's sessions end, and only a second factor or a link by mail lets them in.
    EndSessions,
}

/// Declares the settings: who sets each, its name, and its type.
macro_rules! settings {
    ($( $(#[$doc:meta])* $of:ident $variant:ident $key:ident $path:literal : $ty:ty; )*) => {
        /// The name of a setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Setting { $($variant),* }

        impl Setting {
            pub const ALL: &'static [Setting] = &[$(Setting::$variant),*];

            /// Where it stands in requests.
            pub fn path(self) -> &'static str {
                match self { $(Setting::$variant => $path),* }
            }

            /// Whether only the platform sets it.
            pub fn is_platforms(self) -> bool {
                match self { $(Setting::$variant => settings!(@ $of)),* }
            }
        }

        /// Values of settings; one that is missing follows the platform.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $( $(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $key: Option<$ty>, )*
        }

        impl Settings {
            /// The settings that have a value.
            pub fn given(&self) -> BTreeSet<Setting> {
                let mut given = BTreeSet::new();
                $( if self.$key.is_some() { given.insert(Setting::$variant); } )*
                given
            }

            /// Puts in what is `set` and lets what is `reset` follow the platform again.
            pub fn change(&mut self, set: &Settings, reset: &[Setting]) {
                $(
                    if set.$key.is_some() { self.$key.clone_from(&set.$key); }
                    if reset.contains(&Setting::$variant) { self.$key = None; }
                )*
            }

            /// What of `set` differs from what is there.
            fn news(&self, set: &Settings) -> Settings {
                Settings { $( $key: set.$key.clone().filter(|value| self.$key.as_ref() != Some(value)), )* }
            }
        }
    };
    (@ tenant) => { false };
    (@ platform) => { true };
}

settings! {
    /// What its people read; its name unless told otherwise.
    tenant DisplayName display_name "display_name": String;
    tenant DefaultLocale default_locale "default_locale": Locale;
    tenant TimeZone time_zone "time_zone": Tz;
    tenant LogoUrl logo_url "branding.logo_url": String;
    /// `#rrggbb`
    tenant PrimaryColor primary_color "branding.primary_color": String;
    /// Who letters come from, before the address.
    tenant SenderName sender_name "branding.sender_name": String;
    tenant SessionMaxHours session_max_hours "session_max_hours": u16;
    tenant PasswordMinLength password_min_length "password_min_length": u16;
    tenant MfaRequiredForAll mfa_required_for_all "mfa_required_for_all": bool;
    /// Whether codes by text message may be a second factor (E-112); not unless it says so.
    tenant PhoneCodesAllowed phone_codes_allowed "phone_codes_allowed": bool;
    tenant InvitationValidHours invitation_valid_hours "invitation_valid_hours": u16;
    /// Only people with an address in one of these may be invited; all may where it is missing.
    tenant AllowedEmailDomains allowed_email_domains "allowed_email_domains": BTreeSet<DomainName>;
    tenant SuspiciousSignIn suspicious_sign_in "suspicious_sign_in": SuspiciousSignIn;
    /// To these everyone has to have agreed, in the version that is in force, before anything else (E-278).
    tenant RequiredConsents required_consents "required_consents": BTreeSet<ConsentType>;
    /// As many people one team has at most (P-113).
    tenant MaxTeamSize max_team_size "max_team_size": u16;
    tenant ControllerName controller_name "privacy.controller_name": String;
    tenant ControllerContact controller_contact "privacy.controller_contact": String;
    tenant DataProtectionOfficer data_protection_officer "privacy.data_protection_officer": String;
    tenant Representative representative "privacy.representative": String;
    tenant Transfers transfers "privacy.transfers": String;
    tenant Jurisdiction jurisdiction "privacy.jurisdiction": String;
    tenant NoticeUrl notice_url "privacy.notice_url": String;
    platform Plan plan "plan": Plan;
    platform IsolationMode isolation_mode "isolation_mode": IsolationMode;
    platform FeatureFlags feature_flags "feature_flags": BTreeSet<FeatureFlag>;
    platform RetentionDays retention_days "retention_days": u16;
}

/// A change of settings: values to set, and names of settings that follow the platform again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub set: Settings,
    pub reset: BTreeSet<Setting>,
}

impl SettingsChange {
    /// Every setting that it names.
    pub fn named(&self) -> BTreeSet<Setting> {
        self.set.given().union(&self.reset).copied().collect()
    }

    /// What it changes of `current`, where it is allowed.
    pub(super) fn of(&self, current: &Settings) -> Result<(Settings, Vec<Setting>), OrganizationError> {
        self.set.check()?;
        let given = current.given();
        Ok((current.news(&self.set), self.reset.intersection(&given).copied().collect()))
    }
}

impl Settings {
    fn check(&self) -> Result<(), OrganizationError> {
        use OrganizationError::{
            ColorInvalid, EmailDomainsInvalid, LogoUrlInvalid, NoticeUrlInvalid, SettingNameInvalid, SettingOutOfRange,
        };
        let numbers = [
            (Setting::SessionMaxHours, self.session_max_hours, 1..=SESSION_MAX_HOURS),
            (Setting::PasswordMinLength, self.password_min_length, PASSWORD_MIN_LENGTH..=PASSWORD_MIN_LENGTH_MAX),
            (Setting::InvitationValidHours, self.invitation_valid_hours, 1..=INVITATION_VALID_HOURS_MAX),
            (Setting::RetentionDays, self.retention_days, RETENTION_DAYS_RANGE),
            (Setting::MaxTeamSize, self.max_team_size, TEAM_SIZE_RANGE),
        ];
        for (setting, value, range) in numbers {
            if value.is_some_and(|value| !range.contains(&value)) {
                return Err(SettingOutOfRange(setting));
            }
        }
        let names =
            [(Setting::DisplayName, &self.display_name, NAME_MAX_CHARS), (Setting::SenderName, &self.sender_name, SENDER_MAX_CHARS)];
        for (setting, name, max_chars) in names.into_iter().chain(self.privacy_texts()) {
            if name.as_ref().is_some_and(|name| !is_label(name, max_chars)) {
                return Err(SettingNameInvalid(setting));
            }
        }
        if self.logo_url.as_ref().is_some_and(|url| !is_https_url(url)) {
            return Err(LogoUrlInvalid);
        }
        if self.notice_url.as_ref().is_some_and(|url| !is_https_url(url)) {
            return Err(NoticeUrlInvalid);
        }
        if self.primary_color.as_ref().is_some_and(|color| !is_color(color)) {
            return Err(ColorInvalid);
        }
        if self.allowed_email_domains.as_ref().is_some_and(|domains| !(1..=EMAIL_DOMAINS_MAX).contains(&domains.len())) {
            return Err(EmailDomainsInvalid);
        }
        Ok(())
    }

    pub fn password_min_length(&self) -> u16 {
        self.password_min_length.unwrap_or(PASSWORD_MIN_LENGTH).max(PASSWORD_MIN_LENGTH)
    }

    pub fn session_max_hours(&self) -> u16 {
        self.session_max_hours.unwrap_or(SESSION_MAX_HOURS).min(SESSION_MAX_HOURS)
    }

    pub fn invitation_valid_hours(&self) -> u16 {
        self.invitation_valid_hours.unwrap_or(INVITATION_VALID_HOURS)
    }

    /// Whether everyone needs a second factor.
    pub fn requires_mfa(&self) -> bool {
        self.mfa_required_for_all.unwrap_or(false)
    }

    /// Whether codes by text message may be a second factor.
    pub fn allows_phone_codes(&self) -> bool {
        self.phone_codes_allowed.unwrap_or(false)
    }

    pub fn suspicious_sign_in(&self) -> SuspiciousSignIn {
        self.suspicious_sign_in.unwrap_or_default()
    }

    pub fn time_zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }

    pub fn retention_days(&self) -> u16 {
        self.retention_days.unwrap_or(RETENTION_DAYS)
    }

    pub fn max_team_size(&self) -> u16 {
        self.max_team_size.unwrap_or(TEAM_SIZE_MAX)
    }

    /// Whether someone with this address may be invited.
    pub fn allows_email(&self, address: &str) -> bool {
        let Some(allowed) = &self.allowed_email_domains else { return true };
        DomainName::of_email(address).is_some_and(|domain| allowed.contains(&domain))
    }
}

/// An address over TLS with a host: letters and pages load it as it stands, so nothing in it may end an attribute.
pub(crate) fn is_https_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    url.len() <= URL_MAX_BYTES
        && host.parse::<DomainName>().is_ok()
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`{}|^".contains(&byte))
}

fn is_color(color: &str) -> bool {
    color.len() == 7 && color.strip_prefix('#').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
