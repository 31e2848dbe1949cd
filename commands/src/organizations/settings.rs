//! The settings of an organization, changed by a merge patch (RFC 7396): what is missing stays, what
//! is null follows the platform again.

use super::own_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::merge_patch::{Patch, patch};
use chrono_tz::Tz;
use palmares_domain::{
    compliance::ConsentType,
    kernel::{Admission, Code, FieldError, OrganizationId},
    organizations::{
        Locale,
        domain::DomainName,
        organization::{
            FeatureFlag, IsolationMode, Organization, OrganizationCommand, Plan, Setting, Settings, SettingsChange, SuspiciousSignIn,
        },
    },
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    RenameOrganization => permit "organizations.organization.rename", throttle Write;
    ChangeSettings => permit "organizations.settings.change", throttle Write;
}

/// What the settings that are the platform's need beside the permission to change settings (B.5).
pub const CHANGE_PLATFORM_SETTINGS: &str = "organizations.settings.change_platform";

/// How the organization appears to its people (E-09).
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandingPatch {
    /// An https:// address.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub logo_url: Patch<String>,
    /// `#rrggbb`
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    pub primary_color: Patch<String>,
    /// Who letters come from, before the address.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub sender_name: Patch<String>,
}

/// Who answers for the data of its people, for the record of processing activities and receipts (GDPR,
/// article 30(1)): what only the organization knows. Name functions rather than people: it stands in the log.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyPatch {
    /// The legal entity; the organization's name unless told otherwise.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub controller_name: Patch<String>,
    /// Where to reach it, on one line.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub controller_contact: Patch<String>,
    /// Where to reach its data protection officer, on one line.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub data_protection_officer: Patch<String>,
    /// Who stands for it where it has no seat; `none` where nobody has to.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub representative: Patch<String>,
    /// To which third countries data goes, and with which safeguards; `none` where it stays.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub transfers: Patch<String>,
    /// The country whose law applies.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub jurisdiction: Patch<String>,
    /// An https:// address at which everybody can read the privacy notice.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub notice_url: Patch<String>,
}

impl PrivacyPatch {
    fn sort(&self, set: &mut Settings, reset: &mut BTreeSet<Setting>) {
        sort(&self.controller_name, Setting::ControllerName, &mut set.controller_name, reset);
        sort(&self.controller_contact, Setting::ControllerContact, &mut set.controller_contact, reset);
        sort(&self.data_protection_officer, Setting::DataProtectionOfficer, &mut set.data_protection_officer, reset);
        sort(&self.representative, Setting::Representative, &mut set.representative, reset);
        sort(&self.transfers, Setting::Transfers, &mut set.transfers, reset);
        sort(&self.jurisdiction, Setting::Jurisdiction, &mut set.jurisdiction, reset);
        sort(&self.notice_url, Setting::NoticeUrl, &mut set.notice_url, reset);
    }
}

/// Changes settings. `plan`, `isolation_mode`, `feature_flags` and `retention_days` are the platform's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    pub organization_id: OrganizationId,
    /// What its people read; its name unless told otherwise.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub display_name: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Locale>)]
    pub default_locale: Patch<Locale>,
    /// A name of the time zone database, such as `Europe/Paris`.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    pub time_zone: Patch<Tz>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<BrandingPatch>)]
    pub branding: Patch<BrandingPatch>,
    /// After so long everyone signs in anew: at most the platform's 720.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 720)]
    pub session_max_hours: Patch<u16>,
    /// At least the platform's 12.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u16>, minimum = 12, maximum = 128)]
    pub password_min_length: Patch<u16>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    pub mfa_required_for_all: Patch<bool>,
    /// Whether codes by text message may be a second factor of people who administer nothing.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    pub phone_codes_allowed: Patch<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 720)]
    pub invitation_valid_hours: Patch<u16>,
    /// Only people with an address in one of these domains may be invited; all may where none is named.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100)]
    pub allowed_email_domains: Patch<BTreeSet<DomainName>>,
    /// What follows when a sign-in is suspicious; `notify` unless told otherwise.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<SuspiciousSignIn>)]
    pub suspicious_sign_in: Patch<SuspiciousSignIn>,
    /// To these everyone has to have agreed, in the version that is in force, before anything else. A type
    /// without a document in force is asked of nobody.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<ConsentType>>)]
    pub required_consents: Patch<BTreeSet<ConsentType>>,
    /// As many people one team has at most: 50 unless told otherwise.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 500)]
    pub max_team_size: Patch<u16>,
    /// Who answers for the data of its people.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<PrivacyPatch>)]
    pub privacy: Patch<PrivacyPatch>,
    /// The platform's.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Plan>)]
    pub plan: Patch<Plan>,
    /// The platform's.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<IsolationMode>)]
    pub isolation_mode: Patch<IsolationMode>,
    /// The platform's.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<FeatureFlag>>)]
    pub feature_flags: Patch<BTreeSet<FeatureFlag>>,
    /// The platform's.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u16>, minimum = 30, maximum = 3653)]
    pub retention_days: Patch<u16>,
}

/// Sorts a field of the patch into what is set and what is reset.
fn sort<T: Clone>(field: &Patch<T>, setting: Setting, set: &mut Option<T>, reset: &mut BTreeSet<Setting>) {
    match field {
        Some(Some(value)) => *set = Some(value.clone()),
        Some(None) => drop(reset.insert(setting)),
        None => {}
    }
}

impl ChangeSettings {
    fn change(&self) -> SettingsChange {
        let (mut set, mut reset) = (Settings::default(), BTreeSet::new());
        sort(&self.display_name, Setting::DisplayName, &mut set.display_name, &mut reset);
        sort(&self.default_locale, Setting::DefaultLocale, &mut set.default_locale, &mut reset);
        sort(&self.time_zone, Setting::TimeZone, &mut set.time_zone, &mut reset);
        match &self.branding {
            Some(Some(branding)) => {
                sort(&branding.logo_url, Setting::LogoUrl, &mut set.logo_url, &mut reset);
                sort(&branding.primary_color, Setting::PrimaryColor, &mut set.primary_color, &mut reset);
                sort(&branding.sender_name, Setting::SenderName, &mut set.sender_name, &mut reset);
            }
            Some(None) => reset.extend([Setting::LogoUrl, Setting::PrimaryColor, Setting::SenderName]),
            None => {}
        }
        sort(&self.session_max_hours, Setting::SessionMaxHours, &mut set.session_max_hours, &mut reset);
        sort(&self.password_min_length, Setting::PasswordMinLength, &mut set.password_min_length, &mut reset);
        sort(&self.mfa_required_for_all, Setting::MfaRequiredForAll, &mut set.mfa_required_for_all, &mut reset);
        sort(&self.phone_codes_allowed, Setting::PhoneCodesAllowed, &mut set.phone_codes_allowed, &mut reset);
        sort(&self.invitation_valid_hours, Setting::InvitationValidHours, &mut set.invitation_valid_hours, &mut reset);
        sort(&self.allowed_email_domains, Setting::AllowedEmailDomains, &mut set.allowed_email_domains, &mut reset);
        sort(&self.suspicious_sign_in, Setting::SuspiciousSignIn, &mut set.suspicious_sign_in, &mut reset);
        sort(&self.required_consents, Setting::RequiredConsents, &mut set.required_consents, &mut reset);
        sort(&self.max_team_size, Setting::MaxTeamSize, &mut set.max_team_size, &mut reset);
        match &self.privacy {
            Some(Some(privacy)) => privacy.sort(&mut set, &mut reset),
            Some(None) => reset.extend(Setting::ALL.iter().filter(|setting| setting.path().starts_with("privacy."))),
            None => {}
        }
        sort(&self.plan, Setting::Plan, &mut set.plan, &mut reset);
        sort(&self.isolation_mode, Setting::IsolationMode, &mut set.isolation_mode, &mut reset);
        sort(&self.feature_flags, Setting::FeatureFlags, &mut set.feature_flags, &mut reset);
        sort(&self.retention_days, Setting::RetentionDays, &mut set.retention_days, &mut reset);
        SettingsChange { set, reset }
    }
}

impl Operation for ChangeSettings {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let change = self.change();
        if !unit.admission().rights.permit(CHANGE_PLATFORM_SETTINGS) {
            let kept = change.named().into_iter().filter(|setting| setting.is_platforms());
            let errors: Vec<_> = kept.map(|setting| FieldError::new(setting.path(), PLATFORM_ONLY)).collect();
            if !errors.is_empty() {
                let refused = Refused::new(Code::AccessDenied, PLATFORM_ONLY, "only the platform changes this setting");
                return Err(Refused { errors, attempt: true, ..refused });
            }
        }
        unit.run::<Organization>(self.organization_id, &OrganizationCommand::ChangeSettings(Box::new(change)))?;
        Ok(Answer::default().with("id", self.organization_id.to_string()))
    }
}

const PLATFORM_ONLY: &str = "organizations.setting_platform_only";

/// Calls an organization something else (E-224). What its people read is a setting of theirs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameOrganization {
    pub organization_id: OrganizationId,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
}

impl Operation for RenameOrganization {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Organization>(self.organization_id, &OrganizationCommand::Rename(self.name.clone()))?;
        Ok(Answer::default().with("id", self.organization_id.to_string()))
    }
}
