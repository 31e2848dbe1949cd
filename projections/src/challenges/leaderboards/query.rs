//! `GET leaderboards/{metric}` and `GET leaderboards/{metric}/users/{user_id}`.

use super::{
    PROJECTION,
    board::{Asked, Shown, Standing, show},
    board_name,
};
use crate::{
    challenges::require_user,
    engine::{Cursor, Limit, Query, ReadError, TenantReader},
    identity::{directory, directory::external_refs},
};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::{
    challenges::window::Window,
    kernel::{DataClass, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When the tenant's last event at or before a position was recorded.
pub(super) const TIME_AT: &str = "
    SELECT recorded_at FROM events WHERE organization_id = $1 AND position <= $2 ORDER BY position DESC LIMIT 1";

/// A board is shown to those it compares, which is what their scores are kept for: looking at it is
/// no access to someone's records, and is not recorded as one.
const SHOWN_AS: DataClass = DataClass::Internal;

/// How many neighbours are shown on either side of a member.
const NEIGHBOURS: usize = 2;

/// Who leads. The pages of one list show the board as of the same position.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaderboard {
    /// A metric of activity, such as `steps`, or `points`.
    pub metric: String,
    /// `day`, `week`, `month`, `season` or `all` for the present one, or a key such as
    /// `day:2016-04-12`, `week:2016-W15`, `month:2016-04` or `season:2016-Q2`; `all` where missing.
    #[serde(default)]
    pub window: Option<String>,
    /// A position or an RFC 3339 time; the reader carries it as a position.
    #[serde(default)]
    pub as_of: Option<String>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// One place on a board.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LeaderboardRow)]
pub struct Row {
    /// From 1, without ties.
    pub rank: u64,
    pub user_id: UserId,
    /// Missing once the person was erased.
    pub external_ref: Option<String>,
    /// In the unit of the metric, or in points.
    pub score: i64,
    /// When the score became what it is.
    pub reached_at: DateTime<Utc>,
}

/// One page of a board.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaderboardPage {
    pub items: Vec<Row>,
    pub next_cursor: Option<String>,
    pub metric: String,
    /// The key of the window, such as `week:2016-W15`.
    pub window: String,
    /// The position as of which the board is shown.
    pub as_of: i64,
}

impl Query for Leaderboard {
    type Output = LeaderboardPage;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, directory::PROJECTION];
    const DATA_CLASS: DataClass = SHOWN_AS;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<LeaderboardPage, ReadError> {
        let limit = usize::try_from(self.limit.rows()?).unwrap_or(usize::MAX);
        let behind: Option<(i64, usize, String)> = reader.behind::<Self, _>(self.cursor.as_ref())?;
        let metric = board_name(&self.metric).ok_or(ReadError::NotFound)?;
        let (as_of, first, window) = match behind {
            // The window too: a relative one may have ended between two pages.
            Some((as_of, shown, window)) => (Some(as_of), shown, window),
            None => (reader.as_of, 0, window(reader, self.window.as_deref()).await?),
        };
        let Shown { board, as_of } = show(reader, Asked { metric, window: &window, as_of }).await?;
        let shown = first.saturating_add(limit).min(board.places.len());
        let items = rows(reader, &board.places, first.min(shown)..shown).await?;
        let next_cursor = if shown < board.places.len() { Some(reader.cursor::<Self, _>(&(as_of, shown, &window))?) } else { None };
        Ok(LeaderboardPage { items, next_cursor, metric: metric.to_owned(), window, as_of })
    }
}

/// Where one member stands, with the neighbours.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderboardPlace {
    /// A metric of activity, such as `steps`, or `points`.
    pub metric: String,
    pub user_id: UserId,
    /// As of the board.
    #[serde(default)]
    pub window: Option<String>,
    /// A position or an RFC 3339 time; the reader carries it as a position.
    #[serde(default)]
    pub as_of: Option<String>,
}

/// The place of one member.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberPlace {
    /// From 1; missing where the member is not on the board.
    pub rank: Option<u64>,
    pub user_id: UserId,
    /// Missing once the person was erased.
    pub external_ref: Option<String>,
    /// 0 where the member is not on the board.
    pub score: i64,
    pub reached_at: Option<DateTime<Utc>>,
    /// Up to two members before and two behind, in the order of the board.
    pub neighbours: Vec<Row>,
    /// How many members are on the board.
    pub members: u64,
    pub metric: String,
    /// The key of the window, such as `week:2016-W15`.
    pub window: String,
    /// The position as of which the board is shown.
    pub as_of: i64,
}

impl Query for LeaderboardPlace {
    type Output = MemberPlace;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION, directory::PROJECTION];
    const DATA_CLASS: DataClass = SHOWN_AS;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<MemberPlace, ReadError> {
        let metric = board_name(&self.metric).ok_or(ReadError::NotFound)?;
        let as_of = reader.as_of;
        let window = window(reader, self.window.as_deref()).await?;
        require_user(reader, self.user_id).await?;
        reader.touches(self.user_id.0);
        let Shown { board, as_of } = show(reader, Asked { metric, window: &window, as_of }).await?;
        let found = board.places.iter().position(|place| place.user == self.user_id);
        let around = found.map_or(0..0, |index| index.saturating_sub(NEIGHBOURS)..(index + NEIGHBOURS + 1).min(board.places.len()));
        let (own, neighbours): (Vec<Row>, Vec<Row>) =
            rows(reader, &board.places, around).await?.into_iter().partition(|row| row.user_id == self.user_id);
        let own = own.into_iter().next();
        let external_ref = match &own {
            Some(row) => row.external_ref.clone(),
            None => external_refs(reader, &[self.user_id]).await?.remove(&self.user_id),
        };
        Ok(MemberPlace {
            rank: own.as_ref().map(|row| row.rank),
            user_id: self.user_id,
            external_ref,
            score: own.as_ref().map_or(0, |row| row.score),
            reached_at: own.as_ref().map(|row| row.reached_at),
            neighbours,
            members: board.places.len() as u64,
            metric: metric.to_owned(),
            window,
            as_of,
        })
    }
}

/// The key of the window that is asked for. A bare kind means the window of today, or of the day of
/// the past position; days are those of UTC here, which no member's local day is far from.
async fn window(reader: &mut TenantReader<'_>, asked: Option<&str>) -> Result<String, ReadError> {
    let asked = asked.unwrap_or("all");
    let window = Window::parse(asked, today(reader).await?).map_err(|_| ReadError::invalid("window", "not_allowed"))?;
    Ok(window.key())
}

async fn today(reader: &mut TenantReader<'_>) -> Result<NaiveDate, ReadError> {
    let Some(position) = reader.as_of else { return Ok(reader.now().date_naive()) };
    let organization = reader.organization().0;
    let query = sqlx::query_scalar(TIME_AT).persistent(false).bind(organization).bind(position);
    let time: Option<DateTime<Utc>> = query.fetch_optional(reader.connection()).await?;
    Ok(time.unwrap_or_else(|| reader.now()).date_naive())
}

/// The places of `range` with the names of those who hold them.
async fn rows(reader: &mut TenantReader<'_>, places: &[Standing], range: std::ops::Range<usize>) -> Result<Vec<Row>, ReadError> {
    let first_rank = range.start as u64 + 1;
    let places = places.get(range).unwrap_or_default();
    let users: Vec<UserId> = places.iter().map(|place| place.user).collect();
    users.iter().for_each(|user| reader.touches(user.0));
    let mut names = external_refs(reader, &users).await?;
    let ranked = places.iter().zip(first_rank..);
    Ok(ranked
        .map(|(Standing { user, score, reached_at, .. }, rank)| Row {
            rank,
            user_id: *user,
            external_ref: names.remove(user),
            score: *score,
            reached_at: *reached_at,
        })
        .collect())
}
