//! Names that a search may ask by: one that is none is refused, since nothing found looks like nothing done.

use super::permissions;
use palmares_domain::{
    identity::Grant,
    kernel::FieldError,
    registry::{AGGREGATES, event_catalogue},
};
use palmares_projections::{
    compliance::audit_trail::{action_recorded, event_type_recorded, target_type_recorded},
    engine::{ReadError, TenantReader},
};
use std::collections::BTreeSet;

/// How many names that are like it are told of one that is none.
const CLOSE_MAX: usize = 3;

/// What is longer is like no name.
const NAME_MAX_CHARS: usize = 80;

/// What acts by itself, or for somebody who is not known yet, does so under permissions that nobody is granted.
const OF_NOBODY: &[&str] = &[
    "door.accept_invitation",
    "door.complete_invitation",
    "door.complete_sign_up",
    "door.disown",
    "door.enrol",
    "door.fail_code",
    "door.join_by_provider",
    "door.link_external_identity",
    "door.refresh",
    "door.reset_password",
    "door.send_code",
    "door.send_link",
    "door.set_password",
    "door.show_invitation",
    "door.sign_in",
    "door.sign_out",
    "door.sign_up",
    "door.sign_up_by_provider",
    "door.verify_email",
    "door.verify_sign_up_phone",
    "system.build_exports",
    "system.complete_setup",
    "system.erase",
    "system.expire_due",
    "system.expire_elevation",
    "system.expire_export",
    "system.expire_invitations",
    "system.expire_setup",
    "system.expire_signups",
    "system.forward_audit_log",
    "system.mark_breach_overdue",
    "system.mark_overdue",
    "system.mark_review_overdue",
    "system.provision",
    "system.raise_anomalies",
    "system.resolve_credits",
    "system.run_audit_schedules",
    "system.run_imports",
    "system.send_letters",
    "system.settle_earnings",
    "system.settle_recorded_days",
    "system.tell_attempted",
];

/// The names of one search, looked up one after another.
pub(super) struct Names<'r, 't> {
    reader: &'r mut TenantReader<'t>,
    refused: Vec<FieldError>,
}

impl<'r, 't> Names<'r, 't> {
    pub fn known_to(reader: &'r mut TenantReader<'t>) -> Self {
        Self { reader, refused: Vec::new() }
    }

    /// The type of an event.
    pub async fn event_type(&mut self, field: &str, name: Option<&str>) -> Result<(), ReadError> {
        if let Some(name) = name {
            let known: BTreeSet<_> = event_catalogue().map(|event| event.name).collect();
            if !(known.contains(name) || could_be(name) && event_type_recorded(self.reader, name).await?) {
                self.refused.push(unknown(field, name, &known));
            }
        }
        Ok(())
    }

    /// The type of what events are about.
    pub async fn stream_type(&mut self, field: &str, name: Option<&str>) -> Result<(), ReadError> {
        if let Some(name) = name {
            let known: BTreeSet<_> = AGGREGATES.iter().map(|aggregate| aggregate.stream_type).collect();
            if !(known.contains(name) || could_be(name) && target_type_recorded(self.reader, name).await?) {
                self.refused.push(unknown(field, name, &known));
            }
        }
        Ok(())
    }

    /// A permission, or a group of them.
    pub async fn action(&mut self, field: &str, name: Option<&str>) -> Result<(), ReadError> {
        if let Some(name) = name {
            let granted = name.parse::<Grant>().is_ok_and(|grant| permissions().knows(&grant));
            if !(granted || actions().contains(name) || could_be(name) && action_recorded(self.reader, name).await?) {
                self.refused.push(unknown(field, name, &actions()));
            }
        }
        Ok(())
    }

    /// # Errors
    /// Each name that is in no catalogue and that nothing in the organization's log has, with those that are like it.
    pub fn check(self) -> Result<(), ReadError> {
        if self.refused.is_empty() { Ok(()) } else { Err(ReadError::Invalid(self.refused)) }
    }
}

/// Whether PostgreSQL need be asked about it.
fn could_be(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Every permission, of nobody too, and every group of them.
fn actions() -> BTreeSet<&'static str> {
    let groups = |permission: &'static str| permission.match_indices('.').map(move |(end, _)| permission.split_at(end).0);
    permissions().permissions().chain(OF_NOBODY.iter().copied()).flat_map(|permission| groups(permission).chain([permission])).collect()
}

fn unknown(field: &str, name: &str, known: &BTreeSet<&'static str>) -> FieldError {
    FieldError { allowed: closest(name, known), ..FieldError::new(field, "name_unknown") }
}

/// The names that are most like one, the most alike first.
fn closest(name: &str, known: &BTreeSet<&'static str>) -> Vec<String> {
    if name.len() > NAME_MAX_CHARS {
        return Vec::new();
    }
    let far = name.len() / 3;
    let mut alike: Vec<_> = known.iter().map(|known| (distance(name, known), *known)).filter(|(changes, _)| *changes <= far).collect();
    alike.sort_unstable();
    alike.into_iter().take(CLOSE_MAX).map(|(_, known)| known.to_owned()).collect()
}

/// How many letters have to be added, left out or changed to come from one name to the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (above, above + 1);
        row[0] = left;
        for (cell, with) in row[1..].iter_mut().zip(other.bytes()) {
            left = (diagonal + usize::from(letter != with)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// The permissions of nobody that stand in the code under a folder.
    fn of_nobody_in(folder: &Path) -> BTreeSet<String> {
        let literal = |text: &str| {
            let named = |group| {
                text.strip_prefix(group).is_some_and(|rest: &str| rest.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()))
            };
            (named("system.") || named("door.")).then(|| text.to_owned())
        };
        let mut found = BTreeSet::new();
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if file.is_dir() {
                found.append(&mut of_nobody_in(&file));
            } else if name.ends_with(".rs") && name != "names.rs" && !name.ends_with("tests.rs") {
                found.extend(fs::read_to_string(&file).unwrap().split('"').filter_map(literal));
            }
        }
        found
    }

    #[test]
    fn the_permissions_of_nobody_are_those_that_something_acts_under() {
        let code = of_nobody_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert_eq!(code.iter().map(String::as_str).collect::<Vec<_>>(), OF_NOBODY);
        let known = actions();
        assert!(known.is_superset(&BTreeSet::from(["system", "door", "system.erase", "points.hold"])));
        assert!(["system.nonsense", "door.nonsense", "door.sign"].iter().all(|name| !known.contains(name)));
        assert_eq!(closest("system.erace", &known)[0], "system.erase");
    }

    #[test]
    fn names_are_as_far_from_each_other_as_letters_have_to_be_changed() {
        for (one, other, changes) in [("", "", 0), ("a", "", 1), ("role", "role", 0), ("palce", "place", 2), ("hold", "holds", 1)] {
            assert_eq!((distance(one, other), distance(other, one)), (changes, changes), "{one} {other}");
        }
    }

    #[test]
    fn what_is_like_a_name_is_told_and_what_is_like_none_is_not() {
        let known = event_catalogue().map(|event| event.name).collect();
        assert_eq!(closest("identity.role_asigned", &known)[0], "identity.role_assigned");
        assert_eq!(closest("nonsense", &known), Vec::<String>::new());
        assert_eq!(closest(&"x".repeat(NAME_MAX_CHARS + 1), &known), Vec::<String>::new());
        assert_eq!(closest("points.hodl", &actions())[0], "points.hold");
    }
}
