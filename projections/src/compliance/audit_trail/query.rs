//! `GET audit-logs`.

use super::{
    AuditName, PROJECTION,
    differences::Detail,
    entry::{self, AuditEntry},
    search, statements,
};
use crate::compliance::subject_index;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::DataClass;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditOutcome)]
pub enum Outcome {
    /// It was done.
    Recorded,
    /// The gate refused it.
    Refused,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Outcome::Recorded => "recorded",
            Outcome::Refused => "refused",
        }
    }
}

/// Who did what, when, from where, and what it changed. Newest first; entries are never changed and
/// new ones come before the first page, so the pages of a list fit together.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAuditLogs {
    #[serde(default)]
    pub actor_id: Option<Uuid>,
    /// The permission under which it was done, such as `points.hold.place`, or a group of them, such
    /// as `points.hold` or `points`.
    #[serde(default)]
    pub action: Option<String>,
    /// The type of the event, such as `points.hold_placed`.
    #[serde(default)]
    pub event_type: Option<String>,
    /// What document 004 calls the event, such as `ROLE_CHANGED`.
    #[serde(default)]
    pub audit_name: Option<AuditName>,
    /// What was acted on, or whom it concerns: whose data was read, alone or in a list, and whose is what was
    /// changed, such as their points account.
    #[serde(default)]
    pub target_id: Option<Uuid>,
    /// The type of what was acted on, such as `points_account`. Refused requests acted on nothing: what they were
    /// aimed at is found by `target_id`.
    #[serde(default)]
    pub target_type: Option<String>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub correlation_id: Option<Uuid>,
    /// Done by somebody who acted as this user.
    #[serde(default)]
    pub on_behalf_of: Option<Uuid>,
    /// Done with this elevation.
    #[serde(default)]
    pub elevation_id: Option<Uuid>,
    #[serde(default)]
    pub session_id: Option<Uuid>,
    /// Asked for from this address. Where somebody was is CONFIDENTIAL: who is not cleared for it finds
    /// nothing by it.
    #[serde(default)]
    pub ip: Option<String>,
    /// Words that describe an entry, each whole or in part: names of events, permissions, policies,
    /// reasons and roles, routes, and what its payload says that is not personal.
    #[serde(default)]
    pub text: Option<String>,
    /// Recorded at this time or later.
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
    /// Show every field that an event changed whole, however large: all of a long list, and what is otherwise only
    /// named with its size.
    #[serde(default)]
    pub states: bool,
    /// An export has no pages and refuses it.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// An export has no pages and leaves it out of account.
    #[serde(default)]
    pub limit: Limit,
}

impl ListAuditLogs {
    /// How much of what changed it asks for.
    pub(super) fn detail(&self) -> Detail {
        if self.states { Detail::Whole } else { Detail::Bounded }
    }

    /// The last position up to which everything is known that it asks for.
    ///
    /// Asked for before anything else: each statement sees the database at a moment of its own, and projections go on
    /// each at its own pace. An entry that one of them had and another had not yet would leave a hole behind the newest
    /// entry of a page, to which no cursor leads back.
    async fn known(&self, reader: &mut TenantReader<'_>) -> Result<i64, ReadError> {
        // Whom an entry concerns matters to a search by target alone. The rest need not wait for the index of it.
        let projections: &[&str] = if self.target_id.is_some() { Self::PROJECTIONS } else { &[PROJECTION] };
        Ok(sqlx::query_scalar(statements::KNOWN).bind(projections).fetch_one(reader.connection()).await?)
    }

    /// Whether it asks for every entry that there is. How many are shown at once is no matter.
    pub fn leaves_nothing_out(&self) -> bool {
        let Self {
            actor_id,
            target_id,
            correlation_id,
            on_behalf_of,
            elevation_id,
            session_id,
            action,
            event_type,
            audit_name,
            target_type,
            outcome,
            ip,
            text,
            from,
            to,
            cursor,
            states: _,
            limit: _,
        } = self;
        let ids = [actor_id, target_id, correlation_id, on_behalf_of, elevation_id, session_id].iter().all(|id| id.is_none());
        let texts = [action, event_type, target_type, ip, text].iter().all(|text| text.is_none());
        ids && texts && audit_name.is_none() && outcome.is_none() && from.is_none() && to.is_none() && cursor.is_none()
    }
}

impl Query for ListAuditLogs {
    type Output = Page<AuditEntry>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, subject_index::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<AuditEntry>, ReadError> {
        let limit = self.limit.rows()?;
        let before: i64 = reader.behind::<Self, _>(self.cursor.as_ref())?.unwrap_or(i64::MAX);
        let before = reader.as_of.map_or(before, |as_of| before.min(as_of.saturating_add(1)));
        let before = before.min(self.known(reader).await?.saturating_add(1));
        let rows = search::newest(&self, reader, before, limit + 1).await?;
        let page = Page::of(rows, limit, |last| reader.cursor::<Self, _>(&last.position))?;
        Ok(Page { items: entry::detailed(reader, page.items, self.detail()).await?, next_cursor: page.next_cursor })
    }
}
