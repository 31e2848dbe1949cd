//! Policies of an organization as plain rules: a small grammar of them, what each says, and its text.

use super::{oracle_tests::ME, tests::permissions, *};
use palmares_commands::identity::policy_language::RELATIONS;
use palmares_domain::{
    identity::{
        RoleRef,
        policy_store::{LivePolicies, OwnPolicy},
    },
    kernel::Digest,
};
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub(super) struct OwnRule {
    pub permit: bool,
    who: Who,
    what: What,
    when: When,
}

#[derive(Clone, Debug)]
enum Who {
    Anyone,
    Role(Role),
    User(UserId),
}

#[derive(Clone, Debug)]
enum What {
    Anything,
    Permission(&'static str),
    /// A group, or a permission as a group of itself.
    Group(String),
}

#[derive(Clone, Copy, Debug)]
enum When {
    Always,
    Own,
    NotOwn,
    OwnerSuspended,
    Related(&'static str),
    /// A condition that cannot be evaluated.
    Errs,
}

impl OwnRule {
    /// Whether whoever has these roles is meant, doing this.
    pub fn speaks_of(&self, roles: &[HeldRole], permission: &str) -> bool {
        let who = match &self.who {
            Who::Anyone => true,
            Who::Role(role) => roles.iter().any(|held| held.role == RoleRef::from(*role)),
            Who::User(user) => *user == ME,
        };
        let what = match &self.what {
            What::Anything => true,
            What::Permission(named) => *named == permission,
            What::Group(group) => permission == group || permission.starts_with(&format!("{group}.")),
        };
        who && what
    }

    /// Whether the condition holds; `None` where that cannot be told.
    pub fn applies(&self, owner: Option<UserId>, status: Option<UserStatus>, relations: &[&str]) -> Option<bool> {
        match self.when {
            When::Always => Some(true),
            When::Own => Some(owner == Some(ME)),
            When::NotOwn => Some(owner != Some(ME)),
            When::OwnerSuspended => Some(status == Some(UserStatus::Suspended)),
            When::Related(relation) => Some(relations.contains(&relation)),
            When::Errs => None,
        }
    }

    pub fn text(&self) -> String {
        let effect = if self.permit { "permit" } else { "forbid" };
        let who = match &self.who {
            Who::Anyone => "principal".to_owned(),
            Who::Role(role) => format!(r#"principal in Role::"{}""#, role.name()),
            Who::User(user) => format!(r#"principal == User::"{user}""#),
        };
        let what = match &self.what {
            What::Anything => "action".to_owned(),
            What::Permission(permission) => format!(r#"action == Action::"{permission}""#),
            What::Group(group) => format!(r#"action in [Action::"{group}"]"#),
        };
        let when = match self.when {
            When::Always => String::new(),
            When::Own => "when { resource has owner && resource.owner == principal }".to_owned(),
            When::NotOwn => "unless { resource has owner && resource.owner == principal }".to_owned(),
            When::OwnerSuspended => r#"when { resource has owner_status && resource.owner_status == "SUSPENDED" }"#.to_owned(),
            When::Related(relation) => format!(r#"when {{ resource in Relation::"{relation}" }}"#),
            When::Errs => "when { 9223372036854775807 + 1 > 0 }".to_owned(),
        };
        format!("{effect} ({who}, {what}, resource) {when};")
    }
}

pub(super) fn any_own_rule() -> impl Strategy<Value = OwnRule> {
    let permission = || prop::sample::select(permissions().into_iter().collect::<Vec<_>>());
    let who = prop_oneof![
        2 => Just(Who::Anyone),
        3 => prop::sample::select(Role::ALL.to_vec()).prop_map(Who::Role),
        1 => Just(Who::User(ME)),
        1 => Just(Who::User(UserId(Uuid::from_u128(10)))),
    ];
    let group = (permission(), 1..=3_usize)
        .prop_map(|(permission, parts)| What::Group(permission.split('.').take(parts).collect::<Vec<_>>().join(".")));
    let what = prop_oneof![1 => Just(What::Anything), 1 => permission().prop_map(What::Permission), 3 => group];
    let when = prop_oneof![
        2 => Just(When::Always),
        2 => Just(When::Own),
        2 => Just(When::NotOwn),
        2 => Just(When::OwnerSuspended),
        2 => prop::sample::select(RELATIONS.to_vec()).prop_map(When::Related),
        1 => Just(When::Errs),
    ];
    (any::<bool>(), who, what, when).prop_map(|(permit, who, what, when)| OwnRule { permit, who, what, when })
}

/// A first version of these rules.
pub(super) fn live(rules: &[OwnRule]) -> LivePolicies {
    let policy = |(index, rule): (usize, &OwnRule)| OwnPolicy { name: format!("rule-{index}"), text: rule.text(), template: None };
    LivePolicies { version: 1, digest: Digest([0; 32]), policies: rules.iter().enumerate().map(policy).collect() }
}
