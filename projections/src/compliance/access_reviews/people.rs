//! What is told of people between two moments: which roles they held, whether they could use them, and whom
//! they looked after as experts.

use super::{
    changes::{Direction, Held, held},
    over::ExpiredAssignment,
    told::Row,
};
use crate::engine::ReadError;
use palmares_domain::{
    experts::assignments::ExpertAssignmentsEvent,
    identity::{
        RoleRef,
        user::{UserEvent, UserStatus},
    },
    kernel::UserId,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// A role that a user was given, lost, or both. What an invitation gives is held once the invited person is
/// active, and never where it was taken back or ran out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleChange {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    pub role: String,
    #[serde(flatten)]
    pub held: Held,
}

/// A user who may use what their roles grant: from joining or coming back on, until they are suspended,
/// deactivated or deleted, or ask for that.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserChange {
    pub user_id: UserId,
    #[serde(flatten)]
    pub held: Held,
}

/// An expert who looked after somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertChange {
    /// The person who is looked after.
    pub user_id: UserId,
    pub expert_id: UserId,
    #[serde(flatten)]
    pub held: Held,
}

fn user_events(rows: &[Row]) -> impl Iterator<Item = Result<(&Row, UserEvent), ReadError>> {
    rows.iter().map(|row| Ok((row, row.event::<UserEvent>()?)))
}

/// The users whose roles change or begin to count among these events, and who joined or were asked to before them.
pub(super) fn are_there_already(rows: &[Row]) -> Result<Vec<Uuid>, ReadError> {
    let (mut new, mut found) = (BTreeSet::new(), BTreeSet::new());
    for event in user_events(rows) {
        match event?.1 {
            UserEvent::UserCreated(event) => new.insert(event.user_id.0),
            UserEvent::UserInvited(event) => new.insert(event.user_id.0),
            event @ (UserEvent::UserActivated(_) | UserEvent::RoleAssigned(_) | UserEvent::RoleUnassigned(_)) => {
                found.insert(event.user_id().0)
            }
            _ => continue,
        };
    }
    Ok(found.difference(&new).copied().collect())
}

/// What changed, and before it what those were given who were invited and not active yet: all of that counts once
/// they are.
pub(super) fn role_changes(before: &[Row], rows: &[Row]) -> Result<Vec<RoleChange>, ReadError> {
    let mut changes = Vec::new();
    let mut waiting: BTreeMap<UserId, BTreeSet<RoleRef>> = BTreeMap::new();
    for event in user_events(before).chain(user_events(rows)) {
        let (row, event) = event?;
        let user = event.user_id();
        if let UserEvent::UserActivated(_) = event {
            let roles = waiting.remove(&user).unwrap_or_default();
            changes.extend(roles.into_iter().map(|role| ((user, role), Direction::Gained, row.moment())));
            continue;
        }
        let (role, direction) = match (event, waiting.get_mut(&user)) {
            (UserEvent::UserInvited(event), _) => {
                waiting.insert(user, BTreeSet::from([event.role]));
                continue;
            }
            (UserEvent::RoleAssigned(event), Some(roles)) => {
                roles.insert(event.role);
                continue;
            }
            (UserEvent::RoleUnassigned(event), Some(roles)) => {
                roles.remove(&event.role);
                continue;
            }
            (UserEvent::UserCreated(event), None) => (RoleRef::BuiltIn(event.role), Direction::Gained),
            (UserEvent::RoleAssigned(event), None) => (event.role, Direction::Gained),
            (UserEvent::RoleUnassigned(event), None) => (event.role, Direction::Lost),
            _ => continue,
        };
        changes.push(((user, role), direction, row.moment()));
    }
    Ok(held(changes).into_iter().map(|((user_id, role), held)| RoleChange { user_id, role: role.to_string(), held }).collect())
}

pub(super) fn user_changes(rows: &[Row]) -> Result<Vec<UserChange>, ReadError> {
    let mut changes = Vec::new();
    for event in user_events(rows) {
        let (row, event) = event?;
        let direction = match event.status() {
            Some(UserStatus::Active) => Direction::Gained,
            // Whoever is to be deleted may export and cancel, and nothing that a role grants.
            Some(
                UserStatus::Suspended
                | UserStatus::Deactivated
                | UserStatus::DeletionRequested
                | UserStatus::SoftDeleted
                | UserStatus::Purged,
            ) => Direction::Lost,
            Some(UserStatus::Invited | UserStatus::PendingActivation) | None => continue,
        };
        changes.push((event.user_id(), direction, row.moment()));
    }
    // Who comes back from a deletion is suspended at once who was before: that is nothing gained.
    let at_once = |held: &Held| held.gained.is_some_and(|gained| held.lost.is_some_and(|lost| gained.at == lost.at));
    let told = held(changes).into_iter().filter(|(_, held)| !at_once(held));
    Ok(told.map(|(user_id, held)| UserChange { user_id, held }).collect())
}

pub(super) fn expert_changes(rows: &[Row], over: &[ExpiredAssignment]) -> Result<Vec<ExpertChange>, ReadError> {
    let mut changes: Vec<_> = over.iter().map(|over| (over.of(), Direction::Lost, over.moment())).collect();
    for row in rows {
        changes.push(match row.event()? {
            ExpertAssignmentsEvent::ExpertAssigned(event) => ((event.user_id, event.expert_id), Direction::Gained, row.moment()),
            ExpertAssignmentsEvent::AssignmentEnded(event) => ((event.user_id, event.expert_id), Direction::Lost, row.moment()),
        });
    }
    changes.sort_by_key(|(_, _, moment)| moment.at);
    Ok(held(changes).into_iter().map(|((user_id, expert_id), held)| ExpertChange { user_id, expert_id, held }).collect())
}

#[cfg(test)]
mod tests {
    use super::{super::told::rows, *};
    use chrono::{DateTime, TimeDelta};
    use palmares_domain::{
        experts::assignments::{AssignmentEnded, ExpertAssigned},
        identity::{
            Role,
            user::{
                RoleAssigned, RoleUnassigned, UserActivated, UserDeactivated, UserDeletionRequested, UserInvited, UserReactivated,
                UserRestored, UserResumed, UserSoftDeleted, UserSuspended,
            },
        },
        kernel::{Digest, Personal},
    };

    const fn user(user: u128) -> UserId {
        UserId(Uuid::from_u128(user))
    }

    fn suspended(of: u128) -> UserEvent {
        UserSuspended { user_id: user(of), reason: None }.into()
    }

    fn invited(of: u128, role: Role) -> UserEvent {
        UserInvited { user_id: user(of), email: Personal::Sealed(Digest([0; 32])), display_name: None, role: role.into() }.into()
    }

    fn activated(of: u128) -> UserEvent {
        UserActivated { user_id: user(of) }.into()
    }

    fn assigned(of: u128, role: Role) -> UserEvent {
        RoleAssigned { user_id: user(of), role: role.into() }.into()
    }

    /// In which second something was gained, and in which lost.
    type Seconds = (Option<i64>, Option<i64>);

    fn seconds(held: Held) -> Seconds {
        (held.gained.map(|gained| gained.at.timestamp()), held.lost.map(|lost| lost.at.timestamp()))
    }

    fn users(events: &[UserEvent]) -> Vec<(UserId, Seconds)> {
        user_changes(&rows(events)).unwrap().iter().map(|told| (told.user_id, seconds(told.held))).collect()
    }

    fn roles(before: &[UserEvent], events: &[UserEvent]) -> Vec<(UserId, String, Seconds)> {
        let told = role_changes(&rows(before), &rows(events)).unwrap();
        told.into_iter().map(|told| (told.user_id, told.role, seconds(told.held))).collect()
    }

    // covers: E-195
    #[test]
    fn who_was_deleted_and_restored_was_gone_in_between() {
        let deleted = |of| UserEvent::from(UserSoftDeleted { user_id: user(of) });
        let told = users(&[deleted(1), deleted(2), UserRestored { user_id: user(2) }.into()]);
        assert_eq!(told, [(user(1), (None, Some(0))), (user(2), (None, Some(1))), (user(2), (Some(2), None))]);
    }

    // covers: E-195
    #[test]
    fn who_is_suspended_or_deactivated_may_nothing_until_they_are_back() {
        let resumed = UserResumed { user_id: user(1) };
        let deactivated = UserDeactivated { user_id: user(1), reason: None };
        let reactivated = UserReactivated { user_id: user(1), approved_by: user(2) };
        let told = users(&[suspended(1), resumed.into(), suspended(1), deactivated.into(), reactivated.into()]);
        assert_eq!(told, [(user(1), (None, Some(0))), (user(1), (Some(1), Some(2))), (user(1), (Some(4), None))]);
        let asked = UserDeletionRequested { user_id: user(1) };
        assert_eq!(users(&[asked.into(), UserSoftDeleted { user_id: user(1) }.into()]), [(user(1), (None, Some(0)))]);
        assert_eq!(users(&[invited(1, Role::Member), activated(1), suspended(1)]), [(user(1), (Some(1), Some(2)))]);
    }

    #[test]
    fn who_comes_back_suspended_gained_nothing() {
        let mut both = rows(&[UserRestored { user_id: user(1) }.into(), suspended(1)]);
        both[1] = rows(&[suspended(1)]).remove(0);
        assert_eq!(user_changes(&both).unwrap().len(), 0, "both are recorded at once");
    }

    // covers: E-195
    #[test]
    fn the_roles_of_an_invitation_count_once_the_invited_person_is_active() {
        let (member, analyst) = (Role::Member.name().to_owned(), Role::Analyst.name().to_owned());
        assert_eq!(roles(&[], &[invited(1, Role::Analyst)]), []);
        let told = roles(&[], &[invited(1, Role::Analyst), activated(1), assigned(1, Role::Member)]);
        assert_eq!(told, [(user(1), analyst.clone(), (Some(1), None)), (user(1), member.clone(), (Some(2), None))]);
        // They were asked before the time began, and given more before they came.
        let before = [invited(1, Role::Analyst), assigned(1, Role::Expert), invited(2, Role::Member)];
        let lost = RoleUnassigned { user_id: user(1), role: Role::Analyst.into() };
        let told = roles(&before, &[lost.into(), assigned(1, Role::Member), activated(1), assigned(2, Role::Analyst)]);
        assert_eq!(told, [(user(1), Role::Expert.name().to_owned(), (Some(2), None)), (user(1), member, (Some(2), None))]);
        // Of whom nothing waits is told as it was.
        assert_eq!(roles(&[], &[activated(3), assigned(3, Role::Analyst)]), [(user(3), analyst, (Some(1), None))]);
    }

    #[test]
    fn what_came_before_is_looked_up_of_those_alone_who_were_there() {
        let rows = rows(&[invited(1, Role::Member), activated(1), activated(2), assigned(3, Role::Analyst), suspended(4)]);
        assert_eq!(are_there_already(&rows).unwrap(), [user(2).0, user(3).0]);
    }

    // covers: E-195
    #[test]
    fn an_expert_looks_after_somebody_until_that_is_ended_or_over() {
        let of = (user(1), user(2));
        let until = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(500);
        let assigned = |until| ExpertAssignmentsEvent::from(ExpertAssigned { user_id: of.0, expert_id: of.1, assigned_by: user(3), until });
        let ended = AssignmentEnded { user_id: of.0, expert_id: of.1, ended_by: user(3) };
        let rows = rows(&[assigned(Some(until)), assigned(None), ended.into()]);
        let told = expert_changes(&rows, &[ExpiredAssignment::made(of, user(3).0, until)]).unwrap();
        let told: Vec<_> = told.iter().map(|told| ((told.user_id, told.expert_id), seconds(told.held))).collect();
        assert_eq!(told, [(of, (Some(0), Some(0))), (of, (Some(1), Some(2)))]);
    }
}
