//! Roles as policies: each role permits what it grants to whoever holds it.

use super::{PolicyFault, PolicyId, version};
use cedar_policy::{Policy, PolicySet};
use palmares_domain::identity::{HeldRole, Role};
use std::collections::{BTreeSet, HashMap};

/// The forbid that keeps to the platform what is the platform's, as far as there are such permissions.
const PLATFORM_ONLY: &str = "platform.platform_only";

/// The forbid that keeps from whoever acts as another user how that one signs in, and what is recorded of them (E-33).
const NEVER_IMPERSONATED: &str = "platform.never_impersonated";

/// What it forbids, as far as there are such permissions: credentials, sessions, what leads to them, and the export of oneself.
const OF_ONESELF: &[&str] = &[
    "compliance.consent.give",
    "compliance.consent.revoke",
    "compliance.subject_export",
    "identity.api_key",
    "identity.credential",
    "identity.self",
    "identity.session",
    "identity.user.set_email",
];

/// The policies of the platform with those of some roles.
pub(super) struct Combined {
    pub policies: PolicySet,
    /// What each role's policy said.
    versions: HashMap<PolicyId, String>,
}

impl Combined {
    pub fn of(platform: &PolicySet, roles: impl IntoIterator<Item = HeldRole>) -> Result<Self, PolicyFault> {
        let mut combined = Self { policies: platform.clone(), versions: HashMap::new() };
        for role in roles {
            let (id, text) = (PolicyId::new(format!("role.{}", role.role)), text(&role));
            combined.policies.add(Policy::parse(Some(id.clone()), &text).map_err(PolicyFault::of)?).map_err(PolicyFault::of)?;
            combined.versions.insert(id, version(&text));
        }
        Ok(combined)
    }

    /// The policy of a role with the version of its text; `None` for the platform's own.
    pub fn versioned(&self, policy: &PolicyId) -> Option<String> {
        self.versions.get(policy).map(|version| format!("{policy}@{version}"))
    }
}

/// The policy of one role. Names of roles and permissions are closed lists, ids and checked names:
/// none of them can end a string of the policy.
fn text(role: &HeldRole) -> String {
    let action = match role.grants() {
        None => "action".to_owned(),
        Some(grants) => format!("action in [{}]", actions(grants.iter().map(|grant| grant.name()))),
    };
    format!(r#"permit (principal in Role::"{}", {action}, resource);"#, role.role)
}

/// The forbid over the platform's own permissions; empty where no route has one of them.
pub(super) fn platform_only(permissions: &BTreeSet<&'static str>) -> String {
    let kept = actions(Role::PLATFORM_ONLY.iter().copied().filter(|kept| permissions.contains(kept)));
    if kept.is_empty() {
        return String::new();
    }
    let rulers = Role::ALL.into_iter().filter(|role| role.rules_platform()).map(|role| format!(r#"Role::"{}""#, role.name()));
    let rulers = rulers.collect::<Vec<_>>().join(", ");
    format!(r#"@id("{PLATFORM_ONLY}") forbid (principal, action in [{kept}], resource) unless {{ principal in [{rulers}] }};"#)
}

/// The forbid over what nobody does as another user; empty where no route has one of them.
pub(super) fn never_impersonated(permissions: &BTreeSet<&'static str>) -> String {
    let exists =
        |kept: &str| permissions.iter().any(|permission| *permission == kept || super::groups(permission).any(|group| group == kept));
    let kept = actions(OF_ONESELF.iter().copied().filter(|kept| exists(kept)));
    if kept.is_empty() {
        return String::new();
    }
    format!(r#"@id("{NEVER_IMPERSONATED}") forbid (principal, action in [{kept}], resource) when {{ context.impersonated }};"#)
}

fn actions<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!(r#"Action::"{name}""#)).collect::<Vec<_>>().join(", ")
}
