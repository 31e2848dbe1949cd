//! What is held, since when, and for which matter.

use super::sealed::{self, SealedEvent};
use crate::engine::{ApplyContext, ApplyError, Cursor, Delivered, Limit, Page, Projector, Query, ReadError, TenantReader};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::legal_holds::{self, HoldScope, LegalHoldsEvent, Span},
    kernel::{Aggregate, DataClass, Event, LegalHoldId, Purpose, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The projection's public name.
pub const PROJECTION: &str = "legal_holds";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.legal_holds.insert", INSERT),
    ("compliance.legal_holds.extend", EXTEND),
    ("compliance.legal_holds.release", RELEASE),
    ("compliance.legal_holds.list", LIST),
];

const INSERT: &str = "
    INSERT INTO {compliance_legal_holds}
        (organization_id, hold_id, subjects, span_from, span_until, placed_by, created_at, created_position, created_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const EXTEND: &str = "
    UPDATE {compliance_legal_holds} SET subjects = $3, span_from = $4, span_until = $5 WHERE organization_id = $1 AND hold_id = $2";

const RELEASE: &str = "
    UPDATE {compliance_legal_holds} SET released_by = $3, released_at = $4 WHERE organization_id = $1 AND hold_id = $2";

const LIST: &str = "
    SELECT hold_id, subjects, span_from, span_until, placed_by, released_by, released_at, created_at, created_position, created_event_id
    FROM compliance_legal_holds WHERE organization_id = $1 AND created_position < $2 ORDER BY created_position DESC LIMIT $3";

/// The fold.
pub struct LegalHolds;

#[async_trait]
impl Projector for LegalHolds {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_legal_holds"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.legal_hold_placed", "compliance.legal_hold_extended", "compliance.legal_hold_released"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let organization = event.organization_id.0;
            match LegalHoldsEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                LegalHoldsEvent::LegalHoldPlaced(placed) => {
                    let sql = context.slot.sql(INSERT);
                    let (subjects, span) = columns(&placed.scope);
                    let insert =
                        sqlx::query(&sql).bind(organization).bind(placed.hold_id.0).bind(subjects).bind(span.from).bind(span.until);
                    let insert = insert.bind(placed.placed_by.0).bind(event.recorded_at).bind(event.position).bind(event.id.0);
                    insert.execute(&mut *context.tx).await?;
                }
                LegalHoldsEvent::LegalHoldExtended(extended) => {
                    let sql = context.slot.sql(EXTEND);
                    let (subjects, span) = columns(&extended.scope);
                    let extend = sqlx::query(&sql).bind(organization).bind(extended.hold_id.0);
                    extend.bind(subjects).bind(span.from).bind(span.until).execute(&mut *context.tx).await?;
                }
                LegalHoldsEvent::LegalHoldReleased(released) => {
                    let sql = context.slot.sql(RELEASE);
                    let release = sqlx::query(&sql).bind(organization).bind(released.hold_id.0);
                    release.bind(released.released_by.0).bind(event.recorded_at).execute(&mut *context.tx).await?;
                }
            }
        }
        Ok(())
    }
}

fn columns(scope: &HoldScope) -> (Vec<Uuid>, Span) {
    (scope.subjects.iter().map(|subject| subject.0).collect(), scope.span.unwrap_or_default())
}

/// A legal hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegalHold {
    pub id: LegalHoldId,
    /// Nobody named is everybody.
    pub subjects: Vec<UserId>,
    /// Whoever has something recorded in it.
    pub span: Span,
    /// Missing once the last of the organization was erased.
    pub matter: Option<String>,
    pub placed_by: UserId,
    pub created_at: DateTime<Utc>,
    pub released_by: Option<UserId>,
    pub released_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    hold_id: Uuid,
    subjects: Vec<Uuid>,
    span_from: Option<DateTime<Utc>>,
    span_until: Option<DateTime<Utc>>,
    placed_by: Uuid,
    released_by: Option<Uuid>,
    released_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    created_position: i64,
    created_event_id: Uuid,
}

/// The legal holds of the organization, newest first, those that were released too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLegalHolds {
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListLegalHolds {
    type Output = Page<LegalHold>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<LegalHold>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).persistent(false).bind(reader.organization().0).bind(list.before()).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.hold_id);
        let stream = (legal_holds::LegalHolds::TYPE, reader.organization().0);
        let placed = |row: &Row| SealedEvent {
            position: row.created_position,
            event_id: row.created_event_id,
            stream,
            subject: row.hold_id,
            purpose: Purpose::Case,
        };
        let events: Vec<SealedEvent> = page.items.iter().map(placed).collect();
        let mut matters = sealed::open(reader, &events).await?;
        Ok(page.map(|row| LegalHold {
            id: LegalHoldId(row.hold_id),
            subjects: row.subjects.into_iter().map(UserId).collect(),
            span: Span { from: row.span_from, until: row.span_until },
            matter: matters.remove(&(row.created_position, "matter".to_owned())),
            placed_by: UserId(row.placed_by),
            created_at: row.created_at,
            released_by: row.released_by.map(UserId),
            released_at: row.released_at,
        }))
    }
}
