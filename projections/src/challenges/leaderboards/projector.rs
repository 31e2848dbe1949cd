//! The SQL part: reads the rows that stand, and writes those that end and begin.

use super::{
    POINTS, PROJECTION, board_name,
    fold::{Earned, Key, Rows, Standing, Steps, Version, rows},
    place,
};
use crate::{
    challenges::ACTIVITIES_RECORDED,
    compliance::{ERASED, Erased, erased},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use chrono::NaiveDate;
use palmares_domain::kernel::{OrganizationId, Place, Purpose, RecordedEvent, TransactionId, UserId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) const CURRENT: &str = "
    SELECT b.organization_id, b.metric, b.window_key, b.user_id, b.from_position, b.sealed, b.points
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS k (organization_id, metric, window_key, user_id)
    JOIN {challenges_leaderboards} b ON b.organization_id = k.organization_id AND b.metric = k.metric
        AND b.window_key = k.window_key AND b.user_id = k.user_id AND b.to_position IS NULL";

pub(super) const CLOSE: &str = "
    UPDATE {challenges_leaderboards} b SET to_position = k.to_position
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[])
        AS k (organization_id, metric, window_key, user_id, from_position, to_position)
    WHERE b.organization_id = k.organization_id AND b.metric = k.metric AND b.window_key = k.window_key
      AND b.user_id = k.user_id AND b.from_position = k.from_position";

pub(super) const OPEN: &str = "
    INSERT INTO {challenges_leaderboards}
        (organization_id, metric, window_key, user_id, from_position, to_position, reached_at, sealed, points)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::bytea[], $9::bigint[])";

pub(super) const CHANGED: &str = "
    INSERT INTO {challenges_leaderboard_changes} (organization_id, metric, window_key, position, revision)
    SELECT organization_id, metric, window_key, position, gen_random_uuid()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) AS c (organization_id, metric, window_key, position)
    ON CONFLICT (organization_id, metric, window_key) DO UPDATE SET position = excluded.position, revision = excluded.revision";

pub(super) const CREDIT_DAYS: &str = "
    SELECT d.organization_id, d.transaction_id, d.day
    FROM unnest($1::uuid[], $2::uuid[]) AS k (organization_id, transaction_id)
    JOIN {challenges_credit_days} d ON d.organization_id = k.organization_id AND d.transaction_id = k.transaction_id";

pub(super) const KEEP_CREDIT_DAYS: &str = "
    INSERT INTO {challenges_credit_days} (organization_id, transaction_id, day)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[])";

/// Scores of metrics; points stand under the random id.
pub(super) const FORGET: &str = "
    DELETE FROM {challenges_leaderboards} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2) AND sealed IS NOT NULL
    RETURNING metric, window_key";

/// A board changed last where the last of those who are left did, as after a rebuild.
pub(super) const CHANGED_BEFORE: &str = "
    UPDATE {challenges_leaderboard_changes} c SET position = b.position, revision = gen_random_uuid()
    FROM (SELECT k.metric, k.window_key, max(l.from_position) AS position
          FROM unnest($2::text[], $3::text[]) AS k (metric, window_key)
          JOIN {challenges_leaderboards} l ON l.organization_id = $1 AND l.metric = k.metric AND l.window_key = k.window_key
          GROUP BY k.metric, k.window_key) b
    WHERE c.organization_id = $1 AND c.metric = b.metric AND c.window_key = b.window_key";

pub(super) const DROP_EMPTY: &str = "
    DELETE FROM {challenges_leaderboard_changes} c USING unnest($2::text[], $3::text[]) AS k (metric, window_key)
    WHERE c.organization_id = $1 AND c.metric = k.metric AND c.window_key = k.window_key
      AND NOT EXISTS (SELECT FROM {challenges_leaderboards} l
                      WHERE l.organization_id = c.organization_id AND l.metric = c.metric AND l.window_key = c.window_key)";

/// The fold.
pub struct Leaderboards;

#[async_trait]
impl Projector for Leaderboards {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["challenges_leaderboards", "challenges_leaderboard_changes", "challenges_credit_days"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[ACTIVITIES_RECORDED, "points.credit_resolved", "points.credit_reversed", ERASED]
    }

    fn opens_personal(&self) -> bool {
        true
    }

    /// The user: one score of theirs adds up the events of all their accounts.
    fn sequence_key(&self, event: &RecordedEvent) -> Uuid {
        #[derive(Deserialize)]
        struct Whose {
            user_id: Uuid,
        }
        serde_json::from_str(event.payload.get()).map_or(event.stream.id, |whose: Whose| whose.user_id)
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let earned = Earned::of(batch)?;
        let credit_days = credit_days(context, &earned.unknown_credits()).await?;
        let steps = earned.steps(&credit_days);
        let standing = standing(context, &steps).await?;
        let rows = rows(&standing, steps);
        close(context, &rows).await?;
        open(context, &rows.begun).await?;
        changed(context, &rows).await?;
        keep_credit_days(context, &earned.credit_days).await?;
        for erased in erased(batch)?.iter().filter(|erased| erased.purposes.contains(&Purpose::Health)) {
            forget(context, erased).await?;
        }
        Ok(())
    }
}

/// What somebody reached is gone with their health key.
async fn forget(context: &mut ApplyContext<'_>, erased: &Erased) -> Result<(), ApplyError> {
    let organization = erased.organization.0;
    let sql = context.slot.sql(FORGET);
    let query = sqlx::query_as::<_, (String, String)>(&sql).bind(organization).bind(erased.user.map(|user| user.0));
    let boards: BTreeSet<_> = query.fetch_all(&mut *context.tx).await?.into_iter().collect();
    let (metrics, windows): (Vec<_>, Vec<_>) = boards.into_iter().unzip();
    for statement in [CHANGED_BEFORE, DROP_EMPTY] {
        let sql = context.slot.sql(statement);
        sqlx::query(&sql).bind(organization).bind(&metrics).bind(&windows).execute(&mut *context.tx).await?;
    }
    Ok(())
}

type CreditDays = BTreeMap<(OrganizationId, TransactionId), NaiveDate>;

async fn credit_days(context: &mut ApplyContext<'_>, credits: &[(OrganizationId, TransactionId)]) -> Result<CreditDays, ApplyError> {
    if credits.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (organizations, transactions): (Vec<Uuid>, Vec<Uuid>) =
        credits.iter().map(|(organization, credit)| (organization.0, credit.0)).unzip();
    let sql = context.slot.sql(CREDIT_DAYS);
    let query = sqlx::query_as::<_, (Uuid, Uuid, NaiveDate)>(&sql).bind(organizations).bind(transactions);
    let rows = query.fetch_all(&mut *context.tx).await?;
    Ok(rows.into_iter().map(|(organization, credit, day)| ((OrganizationId(organization), TransactionId(credit)), day)).collect())
}

async fn keep_credit_days(context: &mut ApplyContext<'_>, days: &CreditDays) -> Result<(), ApplyError> {
    if days.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(KEEP_CREDIT_DAYS);
    sqlx::query(&sql)
        .bind(days.keys().map(|(organization, _)| organization.0).collect::<Vec<_>>())
        .bind(days.keys().map(|(_, credit)| credit.0).collect::<Vec<_>>())
        .bind(days.values().copied().collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct CurrentRow {
    organization_id: Uuid,
    metric: String,
    window_key: String,
    user_id: Uuid,
    from_position: i64,
    sealed: Option<Vec<u8>>,
    points: Option<i64>,
}

/// The rows that stand, of every key that is about to change.
async fn standing(context: &mut ApplyContext<'_>, steps: &Steps) -> Result<BTreeMap<Key, Standing>, ApplyError> {
    if steps.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = context.slot.sql(CURRENT);
    let query = sqlx::query_as(&sql)
        .bind(steps.keys().map(|key| key.organization.0).collect::<Vec<_>>())
        .bind(steps.keys().map(|key| key.metric).collect::<Vec<_>>())
        .bind(steps.keys().map(|key| key.window.as_str()).collect::<Vec<_>>())
        .bind(steps.keys().map(|key| key.user.0).collect::<Vec<_>>());
    let rows: Vec<CurrentRow> = query.fetch_all(&mut *context.tx).await?;
    let mut keyed = Vec::with_capacity(rows.len());
    for row in rows {
        let metric = board_name(&row.metric).ok_or_else(|| ApplyError::Invalid(format!("no board is named `{}`", row.metric)))?;
        let (organization, user) = (OrganizationId(row.organization_id), UserId(row.user_id));
        keyed.push((Key { organization, metric, window: row.window_key, user }, row.from_position, row.sealed, row.points));
    }
    let sealed = keyed.iter().filter_map(|(key, from, sealed, _)| Some((place_of(key, *from), sealed.as_deref()?)));
    let mut opened = context.keys.open_many(&sealed.collect::<Vec<_>>()).await?.into_iter();
    let mut standing = BTreeMap::new();
    for (key, from, sealed, points) in keyed {
        let clear = if sealed.is_some() { opened.next().flatten() } else { None };
        let score = match (points, clear) {
            (Some(points), _) => points,
            (None, Some(clear)) => score(&clear).ok_or_else(|| ApplyError::Invalid("a sealed score has 8 bytes".to_owned()))?,
            // The person was erased: their events cannot be opened either, so nothing follows.
            (None, None) => continue,
        };
        standing.insert(key, Standing { from, score });
    }
    Ok(standing)
}

/// A score as it is sealed: of one length, so that the ciphertext does not tell its magnitude.
pub(super) fn score(clear: &[u8]) -> Option<i64> {
    clear.try_into().map(i64::from_be_bytes).ok()
}

fn place_of(key: &Key, from: i64) -> Place {
    place(key.organization, key.metric, &key.window, key.user, from)
}

async fn close(context: &mut ApplyContext<'_>, Rows { ended, .. }: &Rows) -> Result<(), ApplyError> {
    if ended.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(CLOSE);
    sqlx::query(&sql)
        .bind(ended.iter().map(|(key, ..)| key.organization.0).collect::<Vec<_>>())
        .bind(ended.iter().map(|(key, ..)| key.metric).collect::<Vec<_>>())
        .bind(ended.iter().map(|(key, ..)| key.window.as_str()).collect::<Vec<_>>())
        .bind(ended.iter().map(|(key, ..)| key.user.0).collect::<Vec<_>>())
        .bind(ended.iter().map(|(_, from, _)| *from).collect::<Vec<_>>())
        .bind(ended.iter().map(|(.., to)| *to).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// A version with its score, either sealed or in clear.
type NewRow<'a> = (&'a Version, Option<Vec<u8>>, Option<i64>);

async fn open(context: &mut ApplyContext<'_>, begun: &[Version]) -> Result<(), ApplyError> {
    let (in_clear, to_seal): (Vec<_>, Vec<_>) = begun.iter().partition(|version| version.key.metric == POINTS);
    let clear: Vec<[u8; 8]> = to_seal.iter().map(|version| version.score.to_be_bytes()).collect();
    let items: Vec<_> =
        to_seal.iter().zip(&clear).map(|(version, clear)| (place_of(&version.key, version.from), clear.as_slice())).collect();
    let sealed = context.keys.seal_many(&items).await?;
    let points = in_clear.into_iter().map(|version| (version, None, Some(version.score)));
    // Whoever was erased since the event was opened has no key to seal with, and gets no row.
    let metrics = to_seal.into_iter().zip(sealed).filter_map(|(version, sealed)| Some((version, Some(sealed?), None)));
    let rows: Vec<NewRow<'_>> = points.chain(metrics).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(OPEN);
    sqlx::query(&sql)
        .bind(rows.iter().map(|(version, ..)| version.key.organization.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.key.metric).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.key.window.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.key.user.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.from).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.to).collect::<Vec<_>>())
        .bind(rows.iter().map(|(version, ..)| version.reached_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, sealed, _)| sealed.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., points)| *points).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// Gives every board that changed a new revision.
async fn changed(context: &mut ApplyContext<'_>, rows: &Rows) -> Result<(), ApplyError> {
    let mut boards: BTreeMap<(OrganizationId, &str, &str), i64> = BTreeMap::new();
    for Version { key, from, .. } in &rows.begun {
        let position = boards.entry((key.organization, key.metric, &key.window)).or_default();
        *position = (*position).max(*from);
    }
    if boards.is_empty() {
        return Ok(());
    }
    let sql = context.slot.sql(CHANGED);
    sqlx::query(&sql)
        .bind(boards.keys().map(|(organization, ..)| organization.0).collect::<Vec<_>>())
        .bind(boards.keys().map(|(_, metric, _)| *metric).collect::<Vec<_>>())
        .bind(boards.keys().map(|(.., window)| *window).collect::<Vec<_>>())
        .bind(boards.values().copied().collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}
