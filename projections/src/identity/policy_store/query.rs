//! `GET policy-store/policies`, `GET policy-store/templates` and `GET policy-store/versions`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::policy_store::{PolicyPrincipal, PolicyResource},
    kernel::PolicyId,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const POLICIES: &str = "
    SELECT policy_id, name, policy_text, status, template_id, principal, resource, created_at, created_position
    FROM identity_policies
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND created_position > $3
    ORDER BY created_position LIMIT $4";

pub(super) const TEMPLATES: &str = "
    SELECT template_id, name, policy_text, status, created_at, created_position
    FROM identity_policy_templates
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND created_position > $3
    ORDER BY created_position LIMIT $4";

pub(super) const VERSIONS: &str = "
    SELECT version, digest, policies, holds, activated_at
    FROM identity_policy_versions
    WHERE organization_id = $1 AND version < $2
    ORDER BY version DESC LIMIT $3";

/// A policy that the organization wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnPolicy {
    pub id: PolicyId,
    /// What decisions call it, as `org.<name>@v<version>`.
    pub name: String,
    pub text: String,
    /// `ACTIVE` in the draft, or `REVOKED`: what holds is said by the versions.
    pub status: String,
    /// The template that it was made of.
    pub template_id: Option<PolicyId>,
    pub principal: Option<PolicyPrincipal>,
    pub resource: Option<PolicyResource>,
    pub created_at: DateTime<Utc>,
}

/// A template of the organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyTemplate {
    pub id: PolicyId,
    pub name: String,
    pub text: String,
    /// `ACTIVE` or `REVOKED`.
    pub status: String,
    pub created_at: DateTime<Utc>,
}

/// A version of the organization's policies.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyVersion {
    pub version: i64,
    /// SHA-256 of the names and texts of its policies.
    pub digest: String,
    pub policies: Vec<PolicyId>,
    /// Whether it is the one by which the organization's requests are decided.
    pub holds: bool,
    /// When it last began to hold.
    pub activated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    policy_id: Uuid,
    name: String,
    policy_text: String,
    status: String,
    template_id: Option<Uuid>,
    principal: Option<Json<PolicyPrincipal>>,
    resource: Option<Json<PolicyResource>>,
    created_at: DateTime<Utc>,
    created_position: i64,
}

#[derive(sqlx::FromRow)]
struct TemplateRow {
    template_id: Uuid,
    name: String,
    policy_text: String,
    status: String,
    created_at: DateTime<Utc>,
    created_position: i64,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    digest: String,
    policies: Vec<Uuid>,
    holds: bool,
    activated_at: DateTime<Utc>,
}

/// Whether a policy or a template is still there.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PolicyStatus {
    Active,
    Revoked,
}

impl PolicyStatus {
    fn name(self) -> &'static str {
        match self {
            PolicyStatus::Active => "ACTIVE",
            PolicyStatus::Revoked => "REVOKED",
        }
    }
}

/// The policies that the organization wrote, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPolicies {
    #[serde(default)]
    pub status: Option<PolicyStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// The organization's templates, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPolicyTemplates {
    #[serde(default)]
    pub status: Option<PolicyStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// The versions of the organization's policies, newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPolicyVersions {
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListPolicies {
    type Output = Page<OwnPolicy>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<OwnPolicy>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        // The whole store of an organization is one stream.
        reader.touches(organization);
        let query =
            sqlx::query_as(POLICIES).bind(organization).bind(self.status.map(PolicyStatus::name)).bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &PolicyRow| last.created_position).await?;
        Ok(page.map(|row| OwnPolicy {
            id: PolicyId(row.policy_id),
            name: row.name,
            text: row.policy_text,
            status: row.status,
            template_id: row.template_id.map(PolicyId),
            principal: row.principal.map(|principal| principal.0),
            resource: row.resource.map(|resource| resource.0),
            created_at: row.created_at,
        }))
    }
}

impl Query for ListPolicyTemplates {
    type Output = Page<PolicyTemplate>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<PolicyTemplate>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        reader.touches(organization);
        let query =
            sqlx::query_as(TEMPLATES).bind(organization).bind(self.status.map(PolicyStatus::name)).bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &TemplateRow| last.created_position).await?;
        Ok(page.map(|row| PolicyTemplate {
            id: PolicyId(row.template_id),
            name: row.name,
            text: row.policy_text,
            status: row.status,
            created_at: row.created_at,
        }))
    }
}

impl Query for ListPolicyVersions {
    type Output = Page<PolicyVersion>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<PolicyVersion>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        reader.touches(organization);
        let query = sqlx::query_as(VERSIONS).bind(organization).bind(list.before()).bind(list.rows());
        let page = list.page(reader, query, |last: &VersionRow| last.version).await?;
        Ok(page.map(|row| PolicyVersion {
            version: row.version,
            digest: row.digest,
            policies: row.policies.into_iter().map(PolicyId).collect(),
            holds: row.holds,
            activated_at: row.activated_at,
        }))
    }
}
