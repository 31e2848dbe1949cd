use super::*;
use palmares_domain::{
    identity::{
        Role,
        policy_store::{PolicyPrincipal, PolicyResource},
    },
    kernel::{OrganizationId, UserId},
};
use uuid::Uuid;

fn language() -> PolicyLanguage {
    PolicyLanguage::new(["points.hold.place", "points.balance.read", "identity.user.read"]).unwrap()
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let fault = language().policy(text).unwrap_err();
    assert!(fault.said.contains(words), "{text}: {}", fault.said);
}

/// covers: H-31
#[test]
fn a_policy_that_does_not_type_check_is_refused_with_the_validators_words() {
    let good = r#"forbid (principal in Role::"member", action in Action::"points", resource)
        when { resource has owner && resource.owner != principal && resource has owner_status && resource.owner_status == "SUSPENDED" };"#;
    language().policy(good).unwrap();
    refused("permit (principal, action, resource)", "unexpected end of input");
    refused("everything goes", "unexpected token");
    refused(r#"permit (principal, action == Action::"points.hold.palce", resource);"#, "points.hold.palce");
    refused("forbid (principal, action, resource) when { principal.salary > 3 };", "salary");
    refused("forbid (principal, action, resource) when { resource.owner == principal };", "owner");
    refused("forbid (principal, action, resource) when { resource.organization == 3 };", "type");
    refused("forbid (principal in ?principal, action, resource);", "slot");
    let two = "forbid (principal, action, resource); forbid (principal, action, resource);";
    assert!(language().policy(two).is_err() && language().policy("").is_err());
}

/// Until something answers for a relation, a policy that names one would only look as if it held.
#[test]
fn a_relation_that_nothing_answers_for_is_refused() {
    refused(r#"permit (principal, action in Action::"points", resource in Relation::"befriended");"#, "befriended");
}

/// covers: H-32, H-33
#[test]
fn a_template_becomes_a_policy_with_a_text_of_its_own() {
    let organization = OrganizationId(Uuid::from_u128(1));
    let owner = UserId(Uuid::from_u128(2));
    let template = r#"permit (principal in ?principal, action == Action::"points.balance.read", resource in ?resource)
        when { resource has owner };"#;
    let instance = |principal, resource| language().instance(&PolicyInstance { template, principal, resource, organization });
    let (role, resource) = (PolicyPrincipal::Role(Role::Expert.into()), PolicyResource::Owner(owner));
    let (text, policy) = instance(Some(role), Some(resource)).unwrap();
    assert!(text.contains(r#"Role::"expert""#) && text.contains(&format!(r#"User::"{owner}""#)) && !text.contains('?'), "{text}");
    assert_eq!(Actions::of(&policy), Actions::Named(vec!["points.balance.read".parse().unwrap()]));
    let (text, _) = instance(Some(PolicyPrincipal::User(owner)), Some(PolicyResource::Organization)).unwrap();
    assert!(text.contains(&format!(r#"Organization::"{organization}""#)), "{text}");
    assert!(instance(Some(role), None).is_err() && instance(None, Some(resource)).is_err());
    let closed = r#"permit (principal, action == Action::"points.balance.read", resource);"#;
    assert!(language().template(closed).is_err(), "a policy is no template");
    assert!(language().template("permit (principal in ?principal, action, resource in ?who);").is_err());
}

#[test]
fn the_actions_of_a_policy_are_those_of_its_scope() {
    let cover = |text: &str, permission| Actions::of(&language().policy(text).unwrap()).cover(permission);
    assert!(cover("forbid (principal, action, resource);", "points.hold.place"));
    assert!(cover(r#"forbid (principal, action in [Action::"points.hold"], resource);"#, "points.hold.place"));
    assert!(!cover(r#"forbid (principal, action in [Action::"points.hold"], resource);"#, "points.balance.read"));
    assert!(!cover(r#"forbid (principal, action == Action::"points.balance.read", resource);"#, "points.hold.place"));
}

#[test]
fn the_language_of_a_tree_is_made_once() {
    let tree = PermissionTree::new(["points.hold.place"]);
    let (first, second) = (PolicyLanguage::of(&tree).unwrap(), PolicyLanguage::of(&tree).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!PolicyLanguage::of(&PermissionTree::new(["points.hold.post"])).unwrap().schema_text().contains("points.hold.place"));
}

/// A text that is nested as deep as its size allows is an answer, not an end of the process.
#[test]
fn a_deeply_nested_text_is_read_or_refused() {
    let nested = |open: &str, core: &str, close: &str, depth| {
        let text = format!("forbid (principal, action, resource) when {{ {}{core}{} }};", open.repeat(depth), close.repeat(depth));
        language().policy(&text)
    };
    for (open, core, close) in [
        ("(", "true", ")"),
        ("[", "1", "].contains(1)"),
        ("{a:", "1", "}"),
        ("if true then ", "true", " else true"),
        ("if ", "true", " then true else true"),
        ("!", "true", ""),
        ("-", "1 > 0", ""),
        ("true && (", "true", ")"),
        ("true || ", "true", ""),
        ("1 + ", "1 > 0", ""),
        ("", "1 > 0", " == true"),
        ("", "principal", ".organization"),
    ] {
        for depth in [15, 22, 40, 59, 118, 300, 1000, 4000] {
            let (read, deep) = (nested(open, core, close, depth), depth >= 300);
            assert!(!deep || read.is_err(), "{open} {close} {depth}");
        }
    }
    nested("(", "true", ")", 20).unwrap();
    nested("1 + ", "1 > 0", "", 100).unwrap();
}
