//! `GET signups`: the queue of those who wait for an approval, and everybody else who signs up.

use super::{
    PROJECTION,
    person::{self, Asked, Person},
};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{signup::SignupStatus, signup_policy::SignupHook},
    kernel::{DataClass, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT user_id, status, steps, passed, requested_at, expires_at, decided_by, requested_position, requested_event_id
    FROM identity_signups
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND requested_position > $3
    ORDER BY requested_position LIMIT $4";

/// A sign-up as those see it who decide.
#[derive(Debug, Serialize, ToSchema)]
pub struct Signup {
    /// The id of the user whom it makes in the end.
    pub id: UserId,
    /// Missing once the person was erased. It is theirs where `email_verification` is among `passed`.
    pub email: Option<String>,
    pub display_name: Option<String>,
    /// In E.164, where it was asked for. It is theirs where `phone_verification` is among `passed`.
    pub phone: Option<String>,
    /// `PENDING`, `AWAITING_APPROVAL`, `ACTIVE`, `REFUSED` or `EXPIRED`.
    pub status: String,
    /// The hooks that were passed, in order.
    #[schema(value_type = Vec<SignupHook>)]
    pub passed: Vec<String>,
    /// Those that were not, in order.
    #[schema(value_type = Vec<SignupHook>)]
    pub missing: Vec<String>,
    pub requested_at: DateTime<Utc>,
    /// When it ends unless somebody goes on with it.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who approved or refused it, where somebody did last.
    pub decided_by: Option<UserId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Uuid,
    status: String,
    steps: Vec<String>,
    passed: i32,
    requested_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    decided_by: Option<Uuid>,
    requested_position: i64,
    requested_event_id: Uuid,
}

impl Row {
    fn asked(&self) -> Asked {
        Asked { user: self.user_id, position: self.requested_position, event: self.requested_event_id }
    }

    fn signup(mut self, person: Person) -> Signup {
        let missing = self.steps.split_off(self.steps.len().min(usize::try_from(self.passed).unwrap_or(0)));
        Signup {
            id: UserId(self.user_id),
            email: person.email,
            display_name: person.display_name,
            phone: person.phone,
            status: self.status,
            passed: self.steps,
            missing,
            requested_at: self.requested_at,
            expires_at: self.expires_at,
            decided_by: self.decided_by.map(UserId),
        }
    }
}

/// The sign-ups of the organization, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSignups {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<SignupStatus>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListSignups {
    type Output = Page<Signup>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Signup>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(self.status.map(SignupStatus::name));
        let query = query.bind(list.after()).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.requested_position).await?;
        page.touch(reader, |row| row.user_id);
        let asked: Vec<Asked> = page.items.iter().map(Row::asked).collect();
        let mut people = person::open(reader, asked).await?;
        Ok(page.map(|row| {
            let person = people.remove(&row.user_id).unwrap_or_default();
            row.signup(person)
        }))
    }
}
