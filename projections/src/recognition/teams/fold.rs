//! From the events of teams to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    kernel::{Event, Purpose, RecordedEvent},
    recognition::team::TeamEvent,
};

pub(in crate::recognition) const STATEMENTS: &[(&str, &str)] = &[
    ("recognition.teams.insert", INSERT),
    ("recognition.teams.rename", RENAME),
    ("recognition.teams.archive", ARCHIVE),
    ("recognition.teams.add", ADD),
    ("recognition.teams.change_role", CHANGE_ROLE),
    ("recognition.teams.remove", REMOVE),
    ("recognition.teams.forget", FORGET),
];

const INSERT: &str = "
    INSERT INTO {recognition_teams} (organization_id, team_id, name, created_at, created_position) VALUES ($1, $2, $3, $4, $5)";

const RENAME: &str = "UPDATE {recognition_teams} SET name = $3 WHERE organization_id = $1 AND team_id = $2";

const ARCHIVE: &str = "UPDATE {recognition_teams} SET archived_at = $3 WHERE organization_id = $1 AND team_id = $2";

const ADD: &str = "
    INSERT INTO {recognition_team_members} (organization_id, team_id, user_id, role, joined_at, joined_position)
    VALUES ($1, $2, $3, $4, $5, $6)";

const CHANGE_ROLE: &str = "
    UPDATE {recognition_team_members} SET role = $4 WHERE organization_id = $1 AND team_id = $2 AND user_id = $3";

const REMOVE: &str = "DELETE FROM {recognition_team_members} WHERE organization_id = $1 AND team_id = $2 AND user_id = $3";

/// Whoever is erased has left their teams before; this is for an organization that is erased with everybody.
const FORGET: &str = "DELETE FROM {recognition_team_members} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. Teams change seldom, so each event is a statement of its own.
pub struct Teams;

#[async_trait]
impl Projector for Teams {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["recognition_teams", "recognition_team_members"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "recognition.team_created",
            "recognition.team_renamed",
            "recognition.team_archived",
            "recognition.member_added",
            "recognition.member_role_changed",
            "recognition.member_removed",
            ERASED,
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            apply(context, &delivered.event).await?;
        }
        forget(context, batch, Purpose::Profile, &[FORGET]).await
    }
}

async fn apply(context: &mut ApplyContext<'_>, event: &RecordedEvent) -> Result<(), ApplyError> {
    let happened = TeamEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
    let sql = context.slot.sql(match &happened {
        TeamEvent::TeamCreated(_) => INSERT,
        TeamEvent::TeamRenamed(_) => RENAME,
        TeamEvent::TeamArchived(_) => ARCHIVE,
        TeamEvent::MemberAdded(_) => ADD,
        TeamEvent::MemberRoleChanged(_) => CHANGE_ROLE,
        TeamEvent::MemberRemoved(_) => REMOVE,
    });
    let change = sqlx::query(&sql).bind(event.organization_id.0);
    let change = match happened {
        TeamEvent::TeamCreated(created) => change.bind(created.team_id.0).bind(created.name).bind(event.recorded_at).bind(event.position),
        TeamEvent::TeamRenamed(renamed) => change.bind(renamed.team_id.0).bind(renamed.name),
        TeamEvent::TeamArchived(archived) => change.bind(archived.team_id.0).bind(event.recorded_at),
        TeamEvent::MemberAdded(added) => {
            let change = change.bind(added.team_id.0).bind(added.user_id.0).bind(added.role.name());
            change.bind(event.recorded_at).bind(event.position)
        }
        TeamEvent::MemberRoleChanged(changed) => change.bind(changed.team_id.0).bind(changed.user_id.0).bind(changed.role.name()),
        TeamEvent::MemberRemoved(removed) => change.bind(removed.team_id.0).bind(removed.user_id.0),
    };
    change.execute(&mut *context.tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_teams_is_of_interest() {
        let all: Vec<_> = TeamEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(Teams.interests(), all);
    }
}
