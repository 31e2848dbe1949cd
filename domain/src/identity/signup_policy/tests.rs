//! Given events, when a command comes, then events or a refusal.

use super::{SignupHook::*, *};
use crate::kernel::{Aggregate, Code, Facts, OrganizationId, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const FACTS: Facts = Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::from_u128(2)) };

fn configure(policy: &mut SignupPolicy, open: bool, hooks: &[SignupHook]) -> Result<usize, SignupPolicyError> {
    let events = policy.decide(&ConfigureSignup { organization_id: ACME, open, hooks: hooks.to_vec() }, &FACTS)?;
    events.iter().for_each(|event| policy.evolve(event));
    Ok(events.len())
}

#[test]
fn nobody_signs_up_until_an_organization_says_so() {
    let policy = SignupPolicy::default();
    assert!(!policy.is_open() && policy.hooks().is_empty());
}

// covers: T-44
#[test]
fn the_hooks_are_those_that_were_configured_last_in_their_order() {
    let mut policy = SignupPolicy::default();
    assert_eq!(configure(&mut policy, true, &[Captcha, EmailVerification, AdminApproval]), Ok(1));
    assert_eq!(policy.steps(), [Captcha, EmailVerification, AdminApproval]);
    assert_eq!(configure(&mut policy, true, &[AdminApproval, EmailVerification]), Ok(1));
    assert!(policy.is_open());
    assert_eq!(policy.steps(), [AdminApproval, EmailVerification]);
    assert_eq!(configure(&mut policy, true, &[AdminApproval, EmailVerification]), Ok(0), "nothing changed");
    assert_eq!(configure(&mut policy, false, &[AdminApproval, EmailVerification]), Ok(1));
    assert!(!policy.is_open());
}

// covers: T-45
#[test]
fn email_verification_alone_is_a_policy() {
    let mut policy = SignupPolicy::default();
    assert_eq!(configure(&mut policy, true, &[EmailVerification]), Ok(1));
    assert_eq!(policy.steps(), [EmailVerification]);
}

// covers: T-46
#[test]
fn a_telephone_and_an_approval_are_a_policy_and_the_address_is_proven_last() {
    let mut policy = SignupPolicy::default();
    assert_eq!(configure(&mut policy, true, &[PhoneVerification, AdminApproval]), Ok(1));
    assert_eq!(policy.hooks(), [PhoneVerification, AdminApproval]);
    assert_eq!(policy.steps(), [PhoneVerification, AdminApproval, EmailVerification]);
}

#[test]
fn whatever_is_configured_the_address_is_proven_once() {
    for one in SignupHook::ALL {
        for other in SignupHook::ALL {
            let mut policy = SignupPolicy::default();
            if configure(&mut policy, true, &[one, other]).is_ok() {
                assert_eq!(policy.steps().iter().filter(|hook| **hook == EmailVerification).count(), 1, "{one:?}, {other:?}");
            }
        }
    }
    assert_eq!(SignupPolicy::default().steps(), [EmailVerification]);
}

#[test]
fn a_hook_stands_once() {
    let mut policy = SignupPolicy::default();
    let refused = configure(&mut policy, true, &[EmailVerification, AdminApproval, EmailVerification]);
    assert_eq!(refused, Err(SignupPolicyError::HookRepeated));
    assert_eq!(policy, SignupPolicy::default());
}

#[test]
fn what_the_request_shows_comes_before_what_waits_for_somebody() {
    let mut policy = SignupPolicy::default();
    for late in [Captcha, DomainAutoJoin] {
        for waits in [EmailVerification, PhoneVerification, AdminApproval] {
            assert_eq!(configure(&mut policy, true, &[waits, late]), Err(SignupPolicyError::HookOrder), "{waits:?}, {late:?}");
            assert!(configure(&mut policy, true, &[late, waits]).is_ok(), "{late:?}, {waits:?}");
        }
    }
    assert!(configure(&mut policy, true, &[DomainAutoJoin, Captcha]).is_ok());
}

#[test]
fn refusals_name_the_hooks() {
    for error in [SignupPolicyError::HookRepeated, SignupPolicyError::HookOrder] {
        assert_eq!((error.code(), error.field()), (Code::ValidationError, Some("hooks")));
    }
}

#[test]
fn each_hook_is_stored_under_its_name() {
    for hook in SignupHook::ALL {
        assert_eq!(serde_json::to_value(hook).unwrap(), hook.name());
        assert_eq!(SignupHook::parse(hook.name()), Some(hook));
    }
    assert_eq!(SignupHook::parse("no_such_hook"), None);
}
