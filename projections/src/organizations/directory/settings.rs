//! `GET organizations/{organization_id}/settings`: what holds, with the platform's defaults filled in.

use super::PROJECTION;
use crate::engine::{Query, ReadError, TenantReader};
use palmares_domain::{
    compliance::ConsentType,
    kernel::OrganizationId,
    organizations::{
        Locale,
        domain::DomainName,
        organization::{Controller, FeatureFlag, IsolationMode, Plan, Settings, SuspiciousSignIn},
    },
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeSet;
use utoipa::ToSchema;

pub(super) const STATEMENTS: &[(&str, &str)] = &[("organizations.directory.settings", GET)];

const GET: &str = "SELECT name, default_locale, settings FROM organizations_directory WHERE organization_id = $1 AND id = $2";

/// How the organization appears to its people (E-09).
#[derive(Debug, Serialize, ToSchema)]
pub struct Branding {
    pub logo_url: Option<String>,
    /// `#rrggbb`
    pub primary_color: Option<String>,
    pub sender_name: Option<String>,
}

/// Who answers for the data of the reader's organization; `None` where that is not there yet.
pub(crate) async fn controller(reader: &mut TenantReader<'_>) -> Result<Option<Controller>, ReadError> {
    let tenant = reader.organization().0;
    let query = sqlx::query_as(GET).bind(tenant).bind(tenant);
    let row: Option<(String, String, Json<Settings>)> = query.fetch_optional(reader.connection()).await?;
    Ok(row.map(|(name, _, Json(set))| set.controller(set.display_name.as_deref().unwrap_or(&name))))
}

/// The settings that hold for an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationSettings {
    pub display_name: String,
    pub default_locale: Locale,
    /// A name of the time zone database.
    pub time_zone: String,
    pub branding: Branding,
    pub session_max_hours: u16,
    pub password_min_length: u16,
    pub mfa_required_for_all: bool,
    /// Whether codes by text message may be a second factor of people who administer nothing.
    pub phone_codes_allowed: bool,
    pub invitation_valid_hours: u16,
    /// Only people with an address in one of these may be invited; all may where it is null.
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_email_domains: Option<BTreeSet<DomainName>>,
    /// What follows when a sign-in is suspicious.
    pub suspicious_sign_in: SuspiciousSignIn,
    /// To these everyone has to have agreed, in the version that is in force, before anything else.
    #[schema(value_type = Vec<ConsentType>)]
    pub required_consents: BTreeSet<ConsentType>,
    /// As many people one team has at most.
    pub max_team_size: u16,
    /// Who answers for the data of its people.
    pub privacy: Controller,
    /// The platform's, like all that follow.
    pub plan: Plan,
    pub isolation_mode: IsolationMode,
    #[schema(value_type = Vec<FeatureFlag>)]
    pub feature_flags: BTreeSet<FeatureFlag>,
    pub retention_days: u16,
}

impl OrganizationSettings {
    fn of(name: String, default_locale: Locale, set: Settings) -> Self {
        Self {
            session_max_hours: set.session_max_hours(),
            password_min_length: set.password_min_length(),
            mfa_required_for_all: set.requires_mfa(),
            phone_codes_allowed: set.allows_phone_codes(),
            invitation_valid_hours: set.invitation_valid_hours(),
            time_zone: set.time_zone().name().to_owned(),
            retention_days: set.retention_days(),
            suspicious_sign_in: set.suspicious_sign_in(),
            max_team_size: set.max_team_size(),
            privacy: set.controller(set.display_name.as_deref().unwrap_or(&name)),
            display_name: set.display_name.unwrap_or(name),
            default_locale: set.default_locale.unwrap_or(default_locale),
            branding: Branding { logo_url: set.logo_url, primary_color: set.primary_color, sender_name: set.sender_name },
            allowed_email_domains: set.allowed_email_domains,
            required_consents: set.required_consents.unwrap_or_default(),
            plan: set.plan.unwrap_or_default(),
            isolation_mode: set.isolation_mode.unwrap_or_default(),
            feature_flags: set.feature_flags.unwrap_or_default(),
        }
    }
}

/// The settings of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSettings {
    pub organization_id: OrganizationId,
}

impl Query for GetSettings {
    type Output = OrganizationSettings;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<OrganizationSettings, ReadError> {
        let tenant = reader.organization().0;
        reader.touches(self.organization_id.0);
        let query = sqlx::query_as(GET).bind(tenant).bind(self.organization_id.0);
        let row: Option<(String, String, Json<Settings>)> = query.fetch_optional(reader.connection()).await?;
        let (name, locale, Json(set)) = row.ok_or(ReadError::NotFound)?;
        Ok(OrganizationSettings::of(name, Locale::parse(&locale).unwrap_or_default(), set))
    }
}
