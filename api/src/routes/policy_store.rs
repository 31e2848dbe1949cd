//! The policies that an organization writes for itself: templates, the draft, and the versions of it.

use crate::{
    pipeline::{Route, Services, action::Action, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{
    ActivatePolicies, ActivatePolicyVersion, InstantiatePolicy, RevokePolicy, RevokePolicyTemplate, WritePolicy, WritePolicyTemplate,
    policy_language::PolicyLanguage,
};
use palmares_domain::kernel::Admitted;
use palmares_projections::identity::policy_store::{ListPolicies, ListPolicyTemplates, ListPolicyVersions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::action::<PolicySchema>(Verb::Get, "/policy-store/schema", "identity.policy.read"),
    Route::get::<ListPolicyTemplates>("/policy-store/templates", "identity.policy.read"),
    Route::post::<WritePolicyTemplate>("/policy-store/templates").creating("/policy-store/templates", "id"),
    Route::post::<InstantiatePolicy>("/policy-store/templates/{template_id}/policies").creating("/policy-store/policies", "id"),
    Route::post::<RevokePolicyTemplate>("/policy-store/templates/{template_id}/revoke"),
    Route::get::<ListPolicies>("/policy-store/policies", "identity.policy.read"),
    Route::post::<WritePolicy>("/policy-store/policies").creating("/policy-store/policies", "id"),
    Route::post::<RevokePolicy>("/policy-store/policies/{policy_id}/revoke"),
    Route::get::<ListPolicyVersions>("/policy-store/versions", "identity.policy.read"),
    Route::post::<ActivatePolicies>("/policy-store/versions"),
    Route::post::<ActivatePolicyVersion>("/policy-store/versions/{version}/activate"),
];

/// The schema against which policies type-check. It is the platform's: it grows with the permissions
/// there are, and the attributes in it are those that something fills in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySchema {}

/// A schema in the language of Cedar schemas.
#[derive(Serialize, ToSchema)]
pub struct PolicySchemaText {
    pub cedarschema: String,
}

impl Action for PolicySchema {
    type Output = PolicySchemaText;

    async fn perform(_admitted: Admitted<Self>, _services: &Services) -> Result<PolicySchemaText, Problem> {
        let language = PolicyLanguage::of(super::permissions()).map_err(Problem::internal)?;
        Ok(PolicySchemaText { cedarschema: language.schema_text().to_owned() })
    }
}
