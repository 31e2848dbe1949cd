//! The queries: the programs of an organization, and one of them, with all versions of their rules.

use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::kernel::{ProgramId, RuleId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

const PROGRAMS: &str = "
    SELECT program_id, name, floor, defined_at FROM points_programs
    WHERE organization_id = $1 AND ($2::uuid IS NULL OR program_id > $2)
    ORDER BY program_id LIMIT $3";

const PROGRAM: &str = "SELECT program_id, name, floor, defined_at FROM points_programs WHERE organization_id = $1 AND program_id = $2";

const EARNING_RULES: &str = "
    SELECT program_id, rule_id, rule_version, kind, metric, per_units, points, daily_cap, effective_from, retired_from
    FROM points_earning_rules WHERE organization_id = $1 AND program_id = ANY($2)
    ORDER BY program_id, rule_id, rule_version";

const EXPIRY_RULES: &str = "
    SELECT program_id, rule_version, expires_after_days, effective_from
    FROM points_expiry_rules WHERE organization_id = $1 AND program_id = ANY($2)
    ORDER BY program_id, rule_version";

pub(super) const READS: &[(&str, &str)] = &[
    ("points.programs.programs", PROGRAMS),
    ("points.programs.program", PROGRAM),
    ("points.programs.earning_rules", EARNING_RULES),
    ("points.programs.expiry_rules", EXPIRY_RULES),
];

/// Which programs are there? `GET points/programs`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrograms {
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// What are the rules of a program? `GET points/programs/{program_id}`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetProgram {
    pub program_id: ProgramId,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProgramDetails {
    pub id: ProgramId,
    pub name: String,
    /// How far an account may go below zero, in points; at most 0.
    pub floor: i64,
    pub defined_at: DateTime<Utc>,
    /// Every version of every earning rule.
    pub rules: Vec<EarningRuleVersion>,
    /// Every version of the expiry rule; without one, points never expire.
    pub expiry_rules: Vec<ExpiryRuleVersion>,
}

/// A version of an earning rule: `min(daily_cap, floor(total / per_units) × points)` a day, from
/// `effective_from` until a later version begins or the rule is retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EarningRuleVersion {
    pub rule_id: RuleId,
    pub version: i32,
    pub kind: String,
    pub metric: String,
    pub per_units: i64,
    pub points: i64,
    pub daily_cap: Option<i64>,
    pub effective_from: NaiveDate,
    /// The first day without the rule.
    pub retired_from: Option<NaiveDate>,
}

/// A version of the expiry rule, for points credited from `effective_from` on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExpiryRuleVersion {
    pub version: i32,
    /// None: never.
    pub expires_after_days: Option<i32>,
    pub effective_from: NaiveDate,
}

type ProgramRow = (Uuid, String, i64, DateTime<Utc>);
type RuleRow = (Uuid, Uuid, i32, String, String, i64, i64, Option<i64>, NaiveDate, Option<NaiveDate>);

impl Query for ListPrograms {
    type Output = Page<ProgramDetails>;
    const PROJECTIONS: &'static [&'static str] = &["points_programs"];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<ProgramDetails>, ReadError> {
        let limit = self.limit.rows()?;
        let after: Option<Uuid> = reader.behind::<Self, _>(self.cursor.as_ref())?;
        let query = sqlx::query_as::<_, ProgramRow>(PROGRAMS).bind(reader.organization().0).bind(after).bind(limit + 1);
        let rows = query.fetch_all(reader.connection()).await?;
        let programs = with_rules(reader, rows).await?;
        Page::of(programs, limit, |last| reader.cursor::<Self, _>(&last.id))
    }
}

impl Query for GetProgram {
    type Output = ProgramDetails;
    const PROJECTIONS: &'static [&'static str] = &["points_programs"];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<ProgramDetails, ReadError> {
        reader.touches(self.program_id.0);
        let query = sqlx::query_as::<_, ProgramRow>(PROGRAM).bind(reader.organization().0).bind(self.program_id.0);
        let rows = query.fetch_all(reader.connection()).await?;
        with_rules(reader, rows).await?.pop().ok_or(ReadError::NotFound)
    }
}

async fn with_rules(reader: &mut TenantReader<'_>, programs: Vec<ProgramRow>) -> Result<Vec<ProgramDetails>, ReadError> {
    let organization = reader.organization().0;
    let ids: Vec<Uuid> = programs.iter().map(|(id, ..)| *id).collect();
    let mut rules: BTreeMap<Uuid, Vec<EarningRuleVersion>> = BTreeMap::new();
    let query = sqlx::query_as::<_, RuleRow>(EARNING_RULES).bind(organization).bind(&ids);
    for row in query.fetch_all(reader.connection()).await? {
        let (program, rule_id, version, kind, metric, per_units, points, daily_cap, effective_from, retired_from) = row;
        let rule_id = rule_id.into();
        let rule = EarningRuleVersion { rule_id, version, kind, metric, per_units, points, daily_cap, effective_from, retired_from };
        rules.entry(program).or_default().push(rule);
    }
    let mut expiry_rules: BTreeMap<Uuid, Vec<ExpiryRuleVersion>> = BTreeMap::new();
    let query = sqlx::query_as::<_, (Uuid, i32, Option<i32>, NaiveDate)>(EXPIRY_RULES).bind(organization).bind(&ids);
    for (program, version, expires_after_days, effective_from) in query.fetch_all(reader.connection()).await? {
        expiry_rules.entry(program).or_default().push(ExpiryRuleVersion { version, expires_after_days, effective_from });
    }
    let programs = programs.into_iter().map(|(id, name, floor, defined_at)| ProgramDetails {
        id: id.into(),
        name,
        floor,
        defined_at,
        rules: rules.remove(&id).unwrap_or_default(),
        expiry_rules: expiry_rules.remove(&id).unwrap_or_default(),
    });
    Ok(programs.collect())
}
