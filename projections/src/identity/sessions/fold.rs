//! From the events of sessions to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::sessions::{Factor, SessionStarted, SessionsEvent},
    kernel::{Event, Purpose, RecordedEvent, SessionId, UserId},
};
use serde::Deserialize;
use uuid::Uuid;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.sessions.insert", INSERT),
    ("identity.sessions.refresh", REFRESH),
    ("identity.sessions.end", END),
    ("identity.sessions.end_all", END_ALL),
    ("identity.sessions.forget", FORGET),
];

const INSERT: &str = "
    INSERT INTO {identity_sessions}
        (organization_id, user_id, session_id, method, factors, carrier, started_at, expires_at,
         client_context_id, started_position, started_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const REFRESH: &str = "
    UPDATE {identity_sessions} SET refreshed_at = $4 WHERE organization_id = $1 AND user_id = $2 AND session_id = $3";

const END: &str = "
    UPDATE {identity_sessions} SET ended_at = $4, end_reason = $5
    WHERE organization_id = $1 AND user_id = $2 AND session_id = $3 AND ended_at IS NULL";

const END_ALL: &str = "
    UPDATE {identity_sessions} SET ended_at = $4, end_reason = $5
    WHERE organization_id = $1 AND user_id = $2 AND session_id IS DISTINCT FROM $3 AND ended_at IS NULL AND expires_at > $4";

/// When somebody was there, and by what they came in.
const FORGET: &str = "DELETE FROM {identity_sessions} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// Why a session ended of which a refresh token came a second time.
const REUSED: &str = "refresh_reused";

/// The fold. People sign in seldom, so each event is a statement of its own.
pub struct Sessions;

#[async_trait]
impl Projector for Sessions {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_sessions"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "identity.session_started",
            "identity.refresh_rotated",
            "identity.refresh_reuse_detected",
            "identity.session_revoked",
            "identity.sessions_revoked",
            ERASED,
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            let event = &delivered.event;
            match SessionsEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                SessionsEvent::SessionStarted(started) => insert(context, event, &started).await?,
                SessionsEvent::RefreshRotated(rotated) => {
                    let sql = context.slot.sql(REFRESH);
                    let refresh = sqlx::query(&sql).bind(event.organization_id.0).bind(rotated.user_id.0).bind(rotated.session_id.0);
                    refresh.bind(rotated.rotated_at).execute(&mut *context.tx).await?;
                }
                SessionsEvent::RefreshReuseDetected(reused) => {
                    end(context, END, event, reused.user_id, Some(reused.session_id), REUSED).await?;
                }
                SessionsEvent::SessionRevoked(revoked) => {
                    end(context, END, event, revoked.user_id, Some(revoked.session_id), revoked.reason.name()).await?;
                }
                SessionsEvent::SessionsRevoked(revoked) => {
                    end(context, END_ALL, event, revoked.user_id, revoked.except, revoked.reason.name()).await?;
                }
            }
        }
        forget(context, batch, Purpose::Security, &[FORGET]).await
    }
}

async fn insert(context: &mut ApplyContext<'_>, event: &RecordedEvent, started: &SessionStarted) -> Result<(), ApplyError> {
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(event.organization_id.0)
        .bind(started.user_id.0)
        .bind(started.session_id.0)
        .bind(started.method.name())
        .bind(started.factors.iter().map(|factor: &Factor| factor.name()).collect::<Vec<_>>())
        .bind(started.carrier.name())
        .bind(started.started_at)
        .bind(started.expires_at)
        .bind(client_context(event))
        .bind(event.position)
        .bind(event.id.0)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// Ends one session, or all but one, as `statement` says.
async fn end(
    context: &mut ApplyContext<'_>,
    statement: &'static str,
    event: &RecordedEvent,
    user: UserId,
    session: Option<SessionId>,
    reason: &str,
) -> Result<(), ApplyError> {
    let (sql, at): (_, DateTime<Utc>) = (context.slot.sql(statement), event.recorded_at);
    let end = sqlx::query(&sql).bind(event.organization_id.0).bind(user.0).bind(session.map(|session| session.0)).bind(at).bind(reason);
    end.execute(&mut *context.tx).await?;
    Ok(())
}

/// Where the sign-in came from. An imported event has another kind of metadata.
fn client_context(event: &RecordedEvent) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct Metadata {
        client_context_id: Option<Uuid>,
    }
    serde_json::from_str::<Metadata>(event.metadata.get()).ok()?.client_context_id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_sessions_is_of_interest() {
        let all: Vec<_> = SessionsEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(Sessions.interests(), all);
    }
}
