//! From events to the figures of days.

use super::{
    PROJECTION,
    tally::{Step, Tally},
};
use crate::{
    compliance::{ERASED, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use chrono::NaiveDate;
use palmares_domain::kernel::{OrganizationId, Purpose};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("operations.analytics.stand", STAND),
    ("operations.analytics.stood", STOOD),
    ("operations.analytics.be_present", BE_PRESENT),
    ("operations.analytics.count", COUNT),
    ("operations.analytics.drop_empty", DROP_EMPTY),
    ("operations.analytics.forget", FORGET),
];

/// Where somebody stood until now.
const STOOD: &str = "SELECT status FROM {operations_standings} WHERE organization_id = $1 AND kind = $2 AND subject_id = $3";

const STAND: &str = "
    INSERT INTO {operations_standings} (organization_id, kind, subject_id, status) VALUES ($1, $2, $3, $4)
    ON CONFLICT (organization_id, kind, subject_id) DO UPDATE SET status = excluded.status";

/// Answers those who had not been there before: each is counted once.
const BE_PRESENT: &str = "
    INSERT INTO {operations_presence} (organization_id, measure, day, user_id)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::uuid[])
    ON CONFLICT DO NOTHING RETURNING organization_id, measure, day";

const COUNT: &str = "
    INSERT INTO {operations_analytics} AS a (organization_id, id, day, measure, value)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::bigint[])
    ON CONFLICT (organization_id, id, day, measure) DO UPDATE SET value = a.value + excluded.value";

/// A figure that came back to nothing is no row, in however many batches it did.
const DROP_EMPTY: &str = "
    DELETE FROM {operations_analytics} a USING unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[]) AS k (organization_id, id, day, measure)
    WHERE a.organization_id = k.organization_id AND a.id = k.id AND a.day = k.day AND a.measure = k.measure AND a.value = 0";

/// Who was counted; the counts stay, and tell of nobody.
const FORGET: &str = "DELETE FROM {operations_presence} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold.
pub struct Analytics;

#[async_trait]
impl Projector for Analytics {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["operations_analytics", "operations_standings", "operations_presence"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let mut tally = Tally::of(batch)?;
        for step in std::mem::take(&mut tally.steps) {
            stand(context, &step, &mut tally).await?;
        }
        be_present(context, &mut tally).await?;
        count(context, &tally).await?;
        forget(context, batch, Purpose::Profile, &[FORGET]).await
    }
}

/// Every event that changes a figure: where users and invitations stand, who is there, and what moves points.
const INTERESTS: &[&str] = &[
    "identity.user_created",
    "identity.user_invited",
    "identity.user_activation_begun",
    "identity.user_activated",
    "identity.user_suspended",
    "identity.user_resumed",
    "identity.user_deactivated",
    "identity.user_reactivated",
    "identity.user_deletion_requested",
    "identity.user_deletion_cancelled",
    "identity.user_soft_deleted",
    "identity.user_restored",
    "identity.user_purged",
    "identity.invitation_issued",
    "identity.invitation_accepted",
    "identity.invitation_completed",
    "identity.invitation_expired",
    "identity.invitation_revoked",
    "identity.session_started",
    "identity.refresh_rotated",
    "challenges.activities_recorded",
    "points.credit_accepted",
    "points.credit_resolved",
    "points.credit_voided",
    "points.credit_reversed",
    "points.hold_posted",
    "points.points_debited",
    "points.spending_reversed",
    ERASED,
];

/// Counts somebody where they stand now, and no longer where they stood.
async fn stand(context: &mut ApplyContext<'_>, step: &Step, tally: &mut Tally) -> Result<(), ApplyError> {
    let Step { organization, day, subject, of, status } = *step;
    let sql = context.slot.sql(STOOD);
    let stood: Option<String> = sqlx::query_scalar(&sql).bind(organization).bind(of).bind(subject).fetch_optional(&mut *context.tx).await?;
    if stood.as_deref() == Some(status) {
        return Ok(());
    }
    let sql = context.slot.sql(STAND);
    sqlx::query(&sql).bind(organization).bind(of).bind(subject).bind(status).execute(&mut *context.tx).await?;
    if let Some(stood) = stood {
        tally.count((organization, day, format!("{of}{stood}")), -1);
    }
    tally.count((organization, day, format!("{of}{status}")), 1);
    Ok(())
}

async fn be_present(context: &mut ApplyContext<'_>, tally: &mut Tally) -> Result<(), ApplyError> {
    if tally.presences.is_empty() {
        return Ok(());
    }
    let rows = || tally.presences.iter();
    let sql = context.slot.sql(BE_PRESENT);
    let query = sqlx::query_as(&sql)
        .bind(rows().map(|(organization, ..)| *organization).collect::<Vec<_>>())
        .bind(rows().map(|(_, measure, ..)| *measure).collect::<Vec<_>>())
        .bind(rows().map(|(_, _, day, _)| *day).collect::<Vec<_>>())
        .bind(rows().map(|(.., user)| *user).collect::<Vec<_>>());
    let new: Vec<(Uuid, String, NaiveDate)> = query.fetch_all(&mut *context.tx).await?;
    for (organization, measure, day) in new {
        tally.count((organization, day, measure), 1);
    }
    Ok(())
}

async fn count(context: &mut ApplyContext<'_>, tally: &Tally) -> Result<(), ApplyError> {
    // The platform's own organization has one row: both of its tenants are the same.
    let rows: Vec<_> = tally
        .counts
        .iter()
        .filter(|(_, by)| **by != 0)
        .flat_map(|(key, by)| BTreeSet::from([OrganizationId::PLATFORM.0, key.0]).into_iter().map(move |tenant| (tenant, key, *by)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let organizations: Vec<_> = rows.iter().map(|(tenant, ..)| *tenant).collect();
    let ids: Vec<_> = rows.iter().map(|(_, (organization, ..), _)| *organization).collect();
    let days: Vec<_> = rows.iter().map(|(_, (_, day, _), _)| *day).collect();
    let measures: Vec<_> = rows.iter().map(|(_, (.., measure), _)| measure.as_str()).collect();
    let sql = context.slot.sql(COUNT);
    let count = sqlx::query(&sql).bind(&organizations).bind(&ids).bind(&days).bind(&measures);
    count.bind(rows.iter().map(|(.., by)| *by).collect::<Vec<_>>()).execute(&mut *context.tx).await?;
    let sql = context.slot.sql(DROP_EMPTY);
    sqlx::query(&sql).bind(&organizations).bind(&ids).bind(&days).bind(&measures).execute(&mut *context.tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::registry::event_catalogue;

    #[test]
    fn every_event_that_is_counted_is_one_that_there_is() {
        for name in INTERESTS {
            assert!(event_catalogue().any(|event| event.name == *name), "{name}");
        }
    }
}
