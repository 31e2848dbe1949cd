//! What a search asks of PostgreSQL.

use super::entry::columns;

/// What is asked of an entry of `l` beside its target, as long as it is asked.
macro_rules! besides {
    () => {
        "l.organization_id = $1 AND l.position > $2 AND l.position < $3
          AND ($4::uuid IS NULL OR l.actor_id = $4)
          AND ($5::text[] IS NULL OR l.action COLLATE \"C\" = ANY($5))
          AND ($6::text IS NULL OR l.event_type = $6)
          AND ($8::text IS NULL OR l.stream_type = $8 OR ($8 = 'user' AND l.subject_id IS NOT NULL))
          AND ($9::text IS NULL OR l.outcome = $9) AND ($10::uuid IS NULL OR l.correlation_id = $10)
          AND ($11::uuid IS NULL OR l.on_behalf_of = $11) AND ($12::uuid IS NULL OR l.elevation_id = $12)
          AND ($13::uuid IS NULL OR l.session_id = $13) AND ($14::text IS NULL OR l.audit_name = $14)
          AND ($15::uuid[] IS NULL OR l.text_id = ANY($15)) AND ($16::uuid[] IS NULL OR l.client_context_id = ANY($16))"
    };
}

/// The same with its target: what was acted on, or somebody whom it concerns.
macro_rules! asked {
    () => {
        concat!(
            besides!(),
            " AND ($7::uuid IS NULL OR l.stream_id = $7 OR EXISTS (
                SELECT FROM compliance_subject_index s
                WHERE s.organization_id = $1 AND s.subject_id = $7 AND s.position = l.position AND s.concerned))"
        )
    };
}

/// A page that `page` made, with its events.
macro_rules! shown {
    ($page:expr, $order:literal) => {
        concat!(
            "WITH page AS MATERIALIZED (",
            $page,
            ") SELECT ",
            columns!(),
            " FROM page p JOIN events e ON e.position = p.position ORDER BY p.position ",
            $order
        )
    };
}

macro_rules! list {
    ($order:literal) => {
        shown!(concat!("SELECT * FROM compliance_audit_log l WHERE ", asked!(), " ORDER BY l.position ", $order, " LIMIT $17"), $order)
    };
}

/// Of each value its newest entries, so many that together they make a page: the oldest of that page is
/// where the page ends at the latest, and whatever is on it has one of the values that are on that one.
/// The values are asked for here alone: asked for as a list as well, they would be read from the index as
/// one, which has no order.
macro_rules! by_values {
    ($column:literal, $value:literal) => {
        shown!(
            concat!(
                "WITH near AS MATERIALIZED (
                     SELECT v.value, newest.position FROM unnest($18::text[]) v(value) CROSS JOIN LATERAL (
                         SELECT l.position FROM compliance_audit_log l WHERE ",
                $column,
                " = ",
                $value,
                " AND ",
                asked!(),
                " ORDER BY l.position DESC LIMIT ($17 + cardinality($18) - 1) / cardinality($18)) newest
                     ORDER BY newest.position DESC LIMIT $17)
                 SELECT found.* FROM (SELECT DISTINCT value FROM near) v
                 CROSS JOIN LATERAL (
                     SELECT * FROM compliance_audit_log l WHERE ",
                $column,
                " = ",
                $value,
                " AND ",
                asked!(),
                " AND l.position >= (SELECT CASE WHEN count(*) < $17 THEN 0 ELSE min(position) END FROM near)
                      ORDER BY l.position DESC LIMIT $17) found
                 ORDER BY found.position DESC LIMIT $17"
            ),
            "DESC"
        )
    };
}

/// The newest entries that fit one condition, and the newest that fit the other one only.
macro_rules! by_either {
    ($one:literal, $other:literal) => {
        shown!(
            concat!(
                "SELECT * FROM (
                     (SELECT * FROM compliance_audit_log l WHERE ",
                $one,
                " AND ",
                asked!(),
                " ORDER BY l.position DESC LIMIT $17)
                     UNION ALL
                     (SELECT * FROM compliance_audit_log l WHERE ",
                $other,
                " AND ",
                asked!(),
                " ORDER BY l.position DESC LIMIT $17)) either
                 ORDER BY position DESC LIMIT $17"
            ),
            "DESC"
        )
    };
}

/// What was done to a target, and what concerns it beside that. The index of whom it concerns leads, so that
/// what concerned somebody long ago only is found as fast.
macro_rules! by_target {
    ($order:literal) => {
        shown!(
            concat!(
                "SELECT * FROM (
                     (SELECT * FROM compliance_audit_log l WHERE l.stream_id = $7 AND ",
                besides!(),
                " ORDER BY l.position ",
                $order,
                " LIMIT $17)
                     UNION ALL
                     (SELECT found.* FROM (
                          SELECT s.position FROM compliance_subject_index s
                          WHERE s.organization_id = $1 AND s.subject_id = $7 AND s.concerned AND s.position > $2 AND s.position < $3
                          ORDER BY s.position ",
                $order,
                ") s CROSS JOIN LATERAL (
                          SELECT * FROM compliance_audit_log l WHERE l.position = s.position AND l.stream_id <> $7 AND ",
                besides!(),
                " OFFSET 0) found
                      ORDER BY s.position ",
                $order,
                " LIMIT $17)) either
                 ORDER BY position ",
                $order,
                " LIMIT $17"
            ),
            $order
        )
    };
}

pub(super) const LIST: &str = list!("DESC");
/// The same, oldest first.
pub(super) const EXPORT: &str = list!("ASC");

pub(super) const BY_ACTION: &str = by_values!("l.action COLLATE \"C\"", "v.value");
pub(super) const BY_TEXT: &str = by_values!("l.text_id", "v.value::uuid");
pub(super) const BY_CONTEXT: &str = by_values!("l.client_context_id", "v.value::uuid");
pub(super) const BY_TARGET: &str = by_target!("DESC");
/// The same, oldest first.
pub(super) const EXPORT_BY_TARGET: &str = by_target!("ASC");
pub(super) const BY_TARGET_TYPE: &str =
    by_either!("l.stream_type = $8", "$8 = 'user' AND l.subject_id IS NOT NULL AND l.stream_type <> 'user'");

/// The newest entry before a position.
pub(super) const NEWEST: &str =
    "SELECT position FROM compliance_audit_log WHERE organization_id = $1 AND position < $2 ORDER BY position DESC LIMIT 1";

pub(super) const FIRST_SINCE: &str = "
    SELECT position FROM compliance_audit_log WHERE organization_id = $1 AND recorded_at >= $2 ORDER BY recorded_at, position LIMIT 1";

pub(super) const LAST_BEFORE: &str = "
    SELECT position FROM compliance_audit_log
    WHERE organization_id = $1 AND recorded_at < $2 ORDER BY recorded_at DESC, position DESC LIMIT 1";

/// From one permission to the next: there are many entries of few. Permissions have letters, points and
/// underscores only, so that what stands from a name up to its `/` is that permission and those below it.
pub(super) const ACTIONS: &str = "
    WITH RECURSIVE found(action) AS (
        (SELECT action FROM compliance_audit_log
         WHERE organization_id = $1 AND action COLLATE \"C\" >= $2 AND action COLLATE \"C\" < $2 || '/'
         ORDER BY action COLLATE \"C\" LIMIT 1)
        UNION ALL
        SELECT (SELECT l.action FROM compliance_audit_log l
                WHERE l.organization_id = $1 AND l.action COLLATE \"C\" > found.action AND l.action COLLATE \"C\" < $2 || '/'
                ORDER BY l.action COLLATE \"C\" LIMIT 1)
        FROM found WHERE found.action IS NOT NULL)
    SELECT action FROM found WHERE action IS NOT NULL";

/// How far projections are, all of them.
pub(super) const KNOWN: &str = "
    SELECT coalesce(min(coalesce(c.position, 0)), 0)
    FROM unnest($1::text[]) n(name) LEFT JOIN checkpoints c ON c.name = n.name AND c.active";

/// Contexts of requests that came from one address.
pub(super) const CONTEXTS: &str = "SELECT id FROM client_contexts WHERE organization_id = $1 AND ip_hash = $2";
