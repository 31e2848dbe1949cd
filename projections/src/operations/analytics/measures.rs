//! What is counted, by the names under which it stands.

pub(super) const SIGN_INS: &str = "sign_ins";
/// Whoever signed in or went on with a session on a day.
pub(super) const ACTIVE_USERS: &str = "active_users";
/// The same of a week, which stands at its Monday.
pub(super) const WEEKLY_USERS: &str = "weekly_users";
/// Whoever recorded an activity on a day.
pub(super) const PARTICIPANTS: &str = "participants";
pub(super) const POINTS_ISSUED: &str = "points_issued";
pub(super) const POINTS_SPENT: &str = "points_spent";

/// Users by where they stand: `users.ACTIVE`.
pub(super) const USERS: &str = "users.";
/// Invitations by where they stand: `invitations.PENDING`.
pub(super) const INVITATIONS: &str = "invitations.";
