//! How an event came to be, and what came of it: command, event, reactor, event, as far as the log knows.
//!
//! Every event names the command that made it and, where a reactor sent that, the event to which it
//! reacted. So its causes are a line to the first request, and its effects a tree; neither is kept
//! anywhere but in the events themselves.

use super::{
    PROJECTION,
    entry::{AuditEntry, Row, columns, entries},
    fold::Metadata,
};
use crate::engine::{Query, ReadError, TenantReader};
use palmares_domain::kernel::{DataClass, EventId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const BY_ID: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM compliance_audit_log p JOIN events e ON e.position = p.position
      WHERE p.organization_id = $1 AND p.event_id = ANY($2) ORDER BY p.position"
);

pub(super) const CAUSED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM compliance_audit_log p JOIN events e ON e.position = p.position
      WHERE p.organization_id = $1 AND p.causation_id = ANY($2) ORDER BY p.position LIMIT $3"
);

pub(super) const OF_REQUEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM compliance_audit_log p JOIN events e ON e.position = p.position
      WHERE p.organization_id = $1 AND p.request_id = $2 ORDER BY p.position LIMIT $3"
);

/// Longer lines of causes than this are cut where they began.
const CAUSES_MAX: usize = 50;
/// More effects than this are left out.
const EFFECTS_MAX: usize = 200;
/// And more than this that one request recorded.
const SIBLINGS_MAX: usize = 100;

/// Explains an entry of the audit log: the line of causes that led to it, what was recorded with it, and
/// everything that followed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainAuditEntry {
    pub event_id: EventId,
}

/// Who sent a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// Somebody who passed the gate.
    Caller,
    /// Somebody who was not known yet, at a door.
    Door,
    /// A part of the platform, because of an event or because it was time.
    Reactor,
}

/// The command that made an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedCommand)]
pub struct Command {
    pub sent_by: Sender,
    /// The name under which it may be repeated, where it has one.
    pub command_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    /// The permission that it needed; of a reactor its name.
    pub action: Option<String>,
    /// The policies that decided, each with the version of its set; empty where nobody had to be asked.
    pub policies: Vec<String>,
}

/// An event with the command that made it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedStep)]
pub struct Step {
    pub command: Command,
    pub entry: AuditEntry,
}

/// Where an entry comes from and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditExplanation {
    /// From the first event to the one that is explained, each the cause of the next.
    pub causes: Vec<Step>,
    /// Other events of the same request.
    pub recorded_with: Vec<Step>,
    /// What reactors did because of it, oldest first; `entry.causation_id` says because of what.
    pub effects: Vec<Step>,
    /// Whether there are more causes, effects or entries of the request than are shown.
    pub truncated: bool,
}

impl Query for ExplainAuditEntry {
    type Output = AuditExplanation;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditExplanation, ReadError> {
        let explained = by_id(reader, self.event_id.0).await?.ok_or(ReadError::NotFound)?;
        let (causes, cut) = causes(reader, explained.clone()).await?;
        let (effects, more) = effects(reader, self.event_id.0).await?;
        let mut recorded_with = Vec::new();
        if let Some(request) = explained.request_id {
            // The entry itself is among them, and one more tells whether there are more.
            let most = SIBLINGS_MAX as i64 + 2;
            let query = sqlx::query_as(OF_REQUEST).persistent(false).bind(reader.organization().0).bind(request).bind(most);
            recorded_with = query.fetch_all(reader.connection()).await?;
            recorded_with.retain(|row: &Row| row.event_id != self.event_id.0);
        }
        let left_out = recorded_with.len() > SIBLINGS_MAX;
        recorded_with.truncate(SIBLINGS_MAX);
        Ok(AuditExplanation {
            causes: steps(reader, causes).await?,
            recorded_with: steps(reader, recorded_with).await?,
            effects: steps(reader, effects).await?,
            truncated: cut || more || left_out,
        })
    }
}

async fn by_id(reader: &mut TenantReader<'_>, event: Uuid) -> Result<Option<Row>, ReadError> {
    let query = sqlx::query_as(BY_ID).persistent(false).bind(reader.organization().0).bind(vec![event]);
    Ok(query.fetch_optional(reader.connection()).await?)
}

/// The line of causes, the event itself last; and whether it goes on before its first.
async fn causes(reader: &mut TenantReader<'_>, explained: Row) -> Result<(Vec<Row>, bool), ReadError> {
    let mut line = vec![explained];
    while let Some(cause) = line.last().and_then(|row| row.causation_id) {
        // What caused an event stands before it in the log, so that the line has an end.
        match by_id(reader, cause).await? {
            Some(row) if line.len() < CAUSES_MAX && line.last().is_some_and(|last| row.position < last.position) => line.push(row),
            Some(_) => {
                line.reverse();
                return Ok((line, true));
            }
            None => break,
        }
    }
    line.reverse();
    Ok((line, false))
}

/// What followed, level by level; and whether something was left out.
async fn effects(reader: &mut TenantReader<'_>, event: Uuid) -> Result<(Vec<Row>, bool), ReadError> {
    let (mut found, mut seen, mut level) = (BTreeMap::new(), BTreeSet::from([event]), vec![event]);
    while !level.is_empty() {
        let query = sqlx::query_as(CAUSED).persistent(false).bind(reader.organization().0).bind(&level);
        let rows: Vec<Row> = query.bind(EFFECTS_MAX as i64 + 1).fetch_all(reader.connection()).await?;
        level = rows.iter().map(|row| row.event_id).filter(|id| seen.insert(*id)).collect();
        found.extend(rows.into_iter().map(|row| (row.position, row)));
        if found.len() > EFFECTS_MAX {
            return Ok((found.into_values().take(EFFECTS_MAX).collect(), true));
        }
    }
    Ok((found.into_values().collect(), false))
}

async fn steps(reader: &mut TenantReader<'_>, rows: Vec<Row>) -> Result<Vec<Step>, ReadError> {
    let commands: Vec<_> = rows.iter().map(command).collect();
    let entries = entries(reader, rows).await?;
    Ok(commands.into_iter().zip(entries).map(|(command, entry)| Step { command, entry }).collect())
}

fn command(row: &Row) -> Command {
    let metadata = Metadata::parse(&String::from_utf8_lossy(&row.metadata));
    Command {
        sent_by: sender(metadata.permission.as_deref()),
        command_id: metadata.command_id,
        request_id: metadata.request_id,
        action: metadata.permission,
        policies: metadata.policies,
    }
}

/// Doors and reactors act under names of their own, which no role grants.
fn sender(permission: Option<&str>) -> Sender {
    match permission.and_then(|permission| permission.split('.').next()) {
        Some("system") => Sender::Reactor,
        Some("door") => Sender::Door,
        _ => Sender::Caller,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sent_a_command_is_told_by_its_permission() {
        assert_eq!(sender(Some("system.resolve_credits")), Sender::Reactor);
        assert_eq!(sender(Some("door.sign_in")), Sender::Door);
        assert_eq!(sender(Some("points.credit.create")), Sender::Caller);
        assert_eq!(sender(None), Sender::Caller);
    }
}
