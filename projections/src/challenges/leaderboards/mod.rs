//! Who leads by a metric or by points, over which window, now or as of a position?
//!
//! A score is valid for the positions `[from_position, to_position)`, so a board can be shown as
//! of any of them. Each event that changes a score of someone ends the row that stood and begins
//! another, within a batch too.
//!
//! **Points** are those earned: resolved credits less what reversals took back from credits, as
//! the ledger booked it, over all programs and teams. Spending, holds, transfers and expiry do not
//! count: a board shows who earned, not who saved. They count on the day on which they were earned,
//! or where no rule says one on the (UTC) day on which the credit resolved; a reversal counts on the
//! day of its credit.
//!
//! **Order**: the higher score; among equals who reached it first, by the time it was recorded and
//! within one time by position; then the user id. So ranks are strict: 1, 2, 3, with no ties. Who
//! has no score above zero is not on the board.

mod board;
mod fold;
mod projector;
mod query;

pub use board::forget;
pub use projector::Leaderboards;
pub use query::{Leaderboard, LeaderboardPage, LeaderboardPlace, MemberPlace, Row};

use palmares_domain::{
    challenges::Metric,
    kernel::{OrganizationId, Place, Purpose, UserId, derive_uuid},
};

/// The projection's public name.
pub const PROJECTION: &str = "leaderboards";

/// The board by points earned; the others are named by their metric.
pub const POINTS: &str = "points";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("challenges.leaderboards.current", projector::CURRENT),
    ("challenges.leaderboards.close", projector::CLOSE),
    ("challenges.leaderboards.open", projector::OPEN),
    ("challenges.leaderboards.changed", projector::CHANGED),
    ("challenges.leaderboards.credit_days", projector::CREDIT_DAYS),
    ("challenges.leaderboards.keep_credit_days", projector::KEEP_CREDIT_DAYS),
    ("challenges.leaderboards.forget", projector::FORGET),
    ("challenges.leaderboards.changed_before", projector::CHANGED_BEFORE),
    ("challenges.leaderboards.drop_empty", projector::DROP_EMPTY),
    ("challenges.leaderboards.state", board::STATE),
    ("challenges.leaderboards.standing", board::STANDING),
    ("challenges.leaderboards.past", board::PAST),
    ("challenges.leaderboards.time_at", query::TIME_AT),
];

/// The stored name of a board's metric, which is static.
fn board_name(name: &str) -> Option<&'static str> {
    if name == POINTS { Some(POINTS) } else { Metric::parse(name).map(Metric::name) }
}

/// Where a sealed score stands: in this version of this person's row of this board.
fn place(organization: OrganizationId, metric: &str, window: &str, user: UserId, from_position: i64) -> Place {
    let parts: [&[u8]; 4] = [metric.as_bytes(), window.as_bytes(), user.0.as_bytes(), &from_position.to_be_bytes()];
    let id = derive_uuid("leaderboard-row", &parts);
    let (container, field) = ("read_model/leaderboards".to_owned(), "score".to_owned());
    Place { organization, subject: user.0, purpose: Purpose::Health, container, id, field }
}
