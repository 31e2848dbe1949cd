//! Who has which rights, looked at from time to time: what changed between two dates, and reviews in which
//! somebody decides about each.

mod changes;
mod decided;
mod fold;
mod list;
mod over;
mod people;
mod query;
mod told;

pub use changes::{Held, Moment};
pub use decided::{Decided, decisions};
pub use fold::AccessReviews;
pub use list::{AccessReviewRow, Holders, ListAccessReviews, keys_in_use, role_holders};
pub use people::{ExpertChange, RoleChange, UserChange};
pub use query::{AccessChanges, ListAccessChanges, TemporaryAccess};
pub use told::{KeyChange, KeyStep, PermissionChange, PolicyChange};

/// The projection's public name.
pub const PROJECTION: &str = "access_reviews";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.access_reviews.insert", fold::INSERT),
    ("compliance.access_reviews.count", fold::COUNT),
    ("compliance.access_reviews.close", fold::CLOSE),
    ("compliance.access_reviews.list", list::LIST),
    ("compliance.access_reviews.holders", list::HOLDERS),
    ("compliance.access_reviews.keys", list::KEYS),
    ("compliance.access_reviews.decisions", decided::DECISIONS),
    ("compliance.access_reviews.events", query::EVENTS),
    ("compliance.access_reviews.waiting", query::WAITING),
    ("compliance.access_reviews.keys_over", over::KEYS_OVER),
    ("compliance.access_reviews.assignments_over", over::ASSIGNMENTS_OVER),
    ("compliance.access_reviews.elevations", query::ELEVATIONS),
];
