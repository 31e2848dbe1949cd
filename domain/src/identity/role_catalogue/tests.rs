//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    identity::Grant,
    kernel::{Aggregate, Code, Facts, Refusal, RoleId, UserId},
};
use chrono::DateTime;
use std::collections::BTreeSet;
use uuid::Uuid;

const COACH: RoleId = RoleId(Uuid::from_u128(1));
const RECRUITER: RoleId = RoleId(Uuid::from_u128(2));

fn given(events: &[RoleCatalogueEvent]) -> RoleCatalogue {
    events.iter().fold(RoleCatalogue::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[RoleCatalogueEvent], command: RoleCatalogueCommand) -> Result<Vec<RoleCatalogueEvent>, RoleCatalogueError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

fn grants<T: FromIterator<Grant>>(names: &[&str]) -> T {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn compose(role_id: RoleId, name: &str, names: &[&str]) -> RoleCatalogueCommand {
    RoleCatalogueCommand::Compose(ComposeRole { role_id, name: name.into(), grants: grants(names) })
}

fn composed(role_id: RoleId, name: &str, names: &[&str]) -> RoleCatalogueEvent {
    RoleComposed { role_id, name: name.into(), grants: grants(names) }.into()
}

fn coach() -> RoleCatalogueEvent {
    composed(COACH, "Coach", &["challenges", "points.balance.read"])
}

fn retired() -> RoleCatalogueEvent {
    RoleRetired { role_id: COACH }.into()
}

/// covers: T-26, E-273
#[test]
fn a_role_is_composed_of_permissions_at_run_time() {
    assert_eq!(when(&[], compose(COACH, "Coach", &["challenges", "points.balance.read"])), Ok(vec![coach()]));
    let catalogue = given(&[coach()]);
    assert_eq!(catalogue.role(COACH).map(|role| role.grants.clone()), Some(grants(&["challenges", "points.balance.read"])));
}

#[test]
fn setting_grants_records_what_came_and_what_went() {
    let set = |names: &[&str]| RoleCatalogueCommand::SetGrants(COACH, grants(names));
    assert_eq!(
        when(&[coach()], set(&["challenges", "identity.user.list"])),
        Ok(vec![
            PermissionsGranted { role_id: COACH, grants: grants(&["identity.user.list"]) }.into(),
            PermissionsRevoked { role_id: COACH, grants: grants(&["points.balance.read"]) }.into(),
        ])
    );
    assert_eq!(when(&[coach()], set(&["challenges", "points.balance.read"])), Ok(vec![]));
    let changed = [coach(), PermissionsRevoked { role_id: COACH, grants: grants(&["challenges"]) }.into()];
    assert_eq!(given(&changed).role(COACH).map(|role| role.grants.clone()), Some(grants(&["points.balance.read"])));
}

#[test]
fn a_retired_role_is_gone_and_its_name_is_free() {
    assert_eq!(when(&[coach()], RoleCatalogueCommand::Retire(COACH)), Ok(vec![retired()]));
    let after = [coach(), retired()];
    assert_eq!(given(&after).role(COACH), None);
    for command in [
        RoleCatalogueCommand::Retire(COACH),
        RoleCatalogueCommand::Rename(COACH, "Trainer".into()),
        RoleCatalogueCommand::SetGrants(COACH, grants(&["points"])),
    ] {
        assert_eq!(when(&after, command), Err(RoleCatalogueError::Retired));
    }
    assert_eq!(when(&after, compose(COACH, "Coach", &["points"])), Err(RoleCatalogueError::AlreadyExists));
    assert!(when(&after, compose(RECRUITER, "Coach", &["points"])).is_ok());
}

#[test]
fn two_roles_never_share_a_name() {
    for taken in ["Coach", "COACH", "organization_admin", "Member"] {
        assert_eq!(when(&[coach()], compose(RECRUITER, taken, &["points"])), Err(RoleCatalogueError::NameTaken), "{taken}");
        let rename = RoleCatalogueCommand::Rename(RECRUITER, taken.into());
        assert_eq!(when(&[coach(), composed(RECRUITER, "Recruiter", &["identity"])], rename), Err(RoleCatalogueError::NameTaken));
    }
    assert_eq!(
        when(&[coach()], RoleCatalogueCommand::Rename(COACH, "COACH".into())),
        Ok(vec![RoleRenamed { role_id: COACH, name: "COACH".into() }.into()])
    );
    assert_eq!(when(&[coach()], RoleCatalogueCommand::Rename(COACH, "Coach".into())), Ok(vec![]));
}

#[test]
fn names_and_numbers_are_bounded() {
    for bad in ["", " ", " Coach", "Co\nach", &"x".repeat(101)] {
        assert_eq!(when(&[], compose(COACH, bad, &["points"])), Err(RoleCatalogueError::NameInvalid), "{bad:?}");
    }
    assert_eq!(when(&[], compose(COACH, "Coach", &[])), Err(RoleCatalogueError::GrantCountInvalid));
    let many: BTreeSet<Grant> = (0..=aggregate::GRANTS_MAX).map(|n| format!("points.p{n}").parse().unwrap()).collect();
    assert_eq!(when(&[coach()], RoleCatalogueCommand::SetGrants(COACH, many)), Err(RoleCatalogueError::GrantCountInvalid));
    let full: Vec<_> =
        (0..aggregate::ROLES_MAX).map(|n| composed(RoleId(Uuid::from_u128(100 + n as u128)), &format!("role {n}"), &["points"])).collect();
    assert_eq!(when(&full, compose(COACH, "Coach", &["points"])), Err(RoleCatalogueError::TooManyRoles));
}

#[test]
fn what_is_not_there_is_not_found() {
    assert_eq!(when(&[], RoleCatalogueCommand::Retire(COACH)), Err(RoleCatalogueError::NotFound));
    assert_eq!(RoleCatalogueError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!(RoleCatalogueError::NameTaken.field(), Some("name"));
}
