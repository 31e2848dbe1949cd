//! The demo organization `acme`: made through the HTTP API, with everyone's gate and everyone's rules.
//!
//! Every command goes under an idempotency key, so a second start finds what the first one made.

pub mod generator;

use super::{
    client::{ApiClient, ApiError, member},
    import::{
        DayFigures, Sender,
        activities::DAYS_PER_BATCH,
        people::{ensure_members, ensure_user},
    },
    output::Reporter,
};
use chrono::NaiveDate;
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, ProgramId, UserId},
};
use serde_json::json;

pub const SLUG: &str = "acme";
/// The prefix of the demo's idempotency keys.
const KEY: &str = "demo";
const SOURCE: &str = "demo-tracker";

/// The demo organization and one user of each of its roles.
#[derive(Clone, Debug)]
pub struct Demo {
    pub organization: OrganizationId,
    pub organization_admin: UserId,
    pub compliance_officer: UserId,
    pub analyst: UserId,
    /// The first of the generated people.
    pub member: UserId,
    pub program: ProgramId,
}

/// Where letters to that member go.
pub const MEMBER_EMAIL: &str = "member@acme.example";

/// The organization and those who run it. `platform` holds the token of a platform administrator.
pub async fn ensure_organization(platform: &ApiClient) -> Result<(OrganizationId, [UserId; 3]), ApiError> {
    let body = json!({ "name": "Acme", "slug": SLUG });
    let answer = platform.post("organizations", &body, Some(&format!("{KEY}:organization"))).await?;
    let organization: OrganizationId = id(&answer.body, "organizations")?;
    let platform = platform.in_organization(organization);
    let administrator = ensure_user(&platform, KEY, "acme-administrator", Role::OrganizationAdmin).await?;
    let compliance_officer = ensure_user(&platform, KEY, "acme-compliance-officer", Role::ComplianceOfficer).await?;
    let analyst = ensure_user(&platform, KEY, "acme-analyst", Role::Analyst).await?;
    Ok((organization, [administrator, compliance_officer, analyst]))
}

/// The people, the program and a month of activity that begins on `first_day`. `admin` holds the
/// token of an administrator of the organization.
pub async fn ensure_month(admin: &ApiClient, first_day: NaiveDate, reporter: &Reporter) -> Result<(UserId, ProgramId), ApiError> {
    let program = ensure_program(admin).await?;
    let people = ensure_members(admin, KEY, generator::people().collect(), reporter).await?;
    let member = generator::people().find_map(|first| people.get(&first)?.as_ref().ok().copied());
    let member = member.ok_or(ApiError::Incomplete { path: "users".to_owned(), member: "id" })?;

    admin.post(&format!("users/{member}/email"), &json!({ "email": MEMBER_EMAIL }), Some(&format!("{KEY}:member-email"))).await?;

    let month = generator::month(generator::SEED, first_day);
    let days: Vec<&DayFigures> = month.iter().map(|delivery| &delivery.figures).collect();
    let sender = Sender { api: admin, source: SOURCE, people: &people };
    let progress = reporter.progress("days of the demo", days.len() as u64);
    for batch in days.chunks(DAYS_PER_BATCH) {
        sender.send(batch).await?;
        progress.advance(batch.len() as u64);
    }
    Ok((member, program))
}

/// From before there were wearables: an imported feed earns too, however old it is.
const EARNING_SINCE: &str = "2000-01-01";

/// `wellness`: 1 point per 100 steps, at most 150 a day.
async fn ensure_program(admin: &ApiClient) -> Result<ProgramId, ApiError> {
    let answer = admin.post("points/programs", &json!({ "name": "wellness" }), Some(&format!("{KEY}:program"))).await?;
    let program: ProgramId = id(&answer.body, "points/programs")?;
    let rule = json!({
        "kind": "activity", "metric": "steps", "per_units": 100, "points": 1, "daily_cap": 150, "effective_from": EARNING_SINCE,
    });
    admin.post(&format!("points/programs/{program}/rules"), &rule, Some(&format!("{KEY}:rule"))).await?;
    Ok(program)
}

fn id<T: std::str::FromStr>(body: &serde_json::Value, path: &str) -> Result<T, ApiError> {
    member(body, path, "id")?.parse().map_err(|_| ApiError::Incomplete { path: path.to_owned(), member: "id" })
}
