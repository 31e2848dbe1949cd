//! `GET me/privacy`: what is held of somebody, what they agreed to, where they are signed in, what they
//! asked for, and how they go.

use crate::{
    compliance::{
        consents::{self, ConsentRecord, consents_of},
        legal_documents,
        subject_exports::{self, SubjectExport, exports_of},
        subject_index,
        subject_requests::{self, ListSubjectRequests, SubjectRequest},
    },
    engine::{Query, ReadError, TenantReader},
    identity::sessions::{self, Session, UserSessions},
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::user::UserStatus,
    kernel::{DataClass, UserId},
    registry::event_catalogue,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Events that name somebody, by their type.
const EVENTS: &str = "
    SELECT a.event_type, count(*), min(a.recorded_at), max(a.recorded_at)
    FROM compliance_subject_index i JOIN compliance_audit_log a ON a.organization_id = i.organization_id AND a.position = i.position
    WHERE i.organization_id = $1 AND i.subject_id = $2
    GROUP BY a.event_type ORDER BY a.event_type";

/// What is sealed of somebody and could not be read without their key, by the purpose of it.
const SEALED: &str = "
    SELECT s.purpose, count(*) AS \"values\" FROM compliance_subject_index i JOIN event_sealed s ON s.position = i.position
    WHERE i.organization_id = $1 AND i.subject_id = $2 AND s.subject_id = $2
    GROUP BY s.purpose ORDER BY s.purpose";

const STATUS: &str = "SELECT status FROM identity_users WHERE organization_id = $1 AND user_id = $2";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.privacy_center.events", EVENTS),
    ("compliance.privacy_center.sealed", SEALED),
    ("compliance.privacy_center.status", STATUS),
];

/// How many of the newest exports are shown.
const EXPORTS_SHOWN: usize = 20;

/// Somebody's privacy, on one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivacyCenter {
    pub user_id: UserId,
    /// Personal values that are sealed, by what they are kept for.
    pub data_by_purpose: Vec<PurposeHeld>,
    /// Events that name the person, by how far the most sensitive of their fields may travel.
    pub data_by_class: Vec<ClassHeld>,
    pub data_by_event: Vec<EventsHeld>,
    pub consents: Vec<ConsentRecord>,
    /// Where the person is signed in.
    pub sessions: Vec<Session>,
    /// What the person asked and nobody has answered yet.
    pub open_requests: Vec<SubjectRequest>,
    /// The newest of what the person took out.
    pub exports: Vec<SubjectExport>,
    /// Whether there are older ones; `GET /me/exports` lists them all.
    pub more_exports: bool,
    pub deletion: Deletion,
}

/// How many values are kept for a purpose.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct PurposeHeld {
    /// `profile`, `health`, `reward`, `hr` or `security`.
    pub purpose: String,
    pub values: i64,
}

/// How many events there are of a class.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassHeld {
    /// `PUBLIC`, `INTERNAL`, `CONFIDENTIAL` or `RESTRICTED`.
    #[schema(value_type = String)]
    pub data_class: DataClass,
    pub events: i64,
}

/// How many events there are of a type.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsHeld {
    #[serde(rename = "type")]
    pub event_type: String,
    #[schema(value_type = String)]
    pub data_class: DataClass,
    pub events: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

/// How the person goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deletion {
    /// Whether it is asked for.
    pub requested: bool,
    /// Where the person's account stands.
    pub account_status: String,
}

/// One's own privacy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetPrivacyCenter {
    pub user_id: UserId,
}

impl Query for GetPrivacyCenter {
    type Output = PrivacyCenter;

    const PROJECTIONS: &'static [&'static str] = &[
        subject_index::PROJECTION,
        consents::PROJECTION,
        legal_documents::PROJECTION,
        sessions::PROJECTION,
        subject_requests::PROJECTION,
        subject_exports::PROJECTION,
        crate::identity::directory::PROJECTION,
        crate::compliance::audit_trail::PROJECTION,
    ];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<PrivacyCenter, ReadError> {
        let user = self.user_id;
        let organization = reader.organization().0;
        let status = sqlx::query_scalar(STATUS).bind(organization).bind(user.0);
        let account_status: String = status.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)?;
        let data_by_event = events_of(reader, user).await?;
        let sealed = sqlx::query_as(SEALED).persistent(false).bind(organization).bind(user.0);
        let data_by_purpose = sealed.fetch_all(reader.connection()).await?;
        let consents = consents_of(reader, user, i64::MAX, reader.now()).await?;
        let sessions = UserSessions { user_id: user, active: true, cursor: None, limit: Default::default() }.run(reader).await?.items;
        let asked = ListSubjectRequests { user_id: Some(user), ..ListSubjectRequests::default() };
        let mut open_requests = asked.run(reader).await?.items;
        open_requests.retain(|request| request.decided_at.is_none());
        let mut exports = exports_of(reader, user, i64::MAX, EXPORTS_SHOWN as i64 + 1).await?;
        let more_exports = exports.len() > EXPORTS_SHOWN;
        exports.truncate(EXPORTS_SHOWN);
        Ok(PrivacyCenter {
            user_id: user,
            data_by_purpose,
            data_by_class: by_class(&data_by_event),
            data_by_event,
            consents,
            sessions,
            open_requests,
            exports,
            more_exports,
            deletion: Deletion {
                requested: account_status == UserStatus::DeletionRequested.name() || account_status == UserStatus::SoftDeleted.name(),
                account_status,
            },
        })
    }
}

async fn events_of(reader: &mut TenantReader<'_>, user: UserId) -> Result<Vec<EventsHeld>, ReadError> {
    let query = sqlx::query_as(EVENTS).persistent(false).bind(reader.organization().0).bind(user.0);
    let rows: Vec<(String, i64, DateTime<Utc>, DateTime<Utc>)> = query.fetch_all(reader.connection()).await?;
    let held = rows.into_iter().map(|(event_type, events, first_at, last_at)| {
        let data_class = class_of(&event_type);
        EventsHeld { event_type, data_class, events, first_at, last_at }
    });
    Ok(held.collect())
}

fn by_class(events: &[EventsHeld]) -> Vec<ClassHeld> {
    let mut classes: BTreeMap<DataClass, i64> = BTreeMap::new();
    for held in events {
        *classes.entry(held.data_class).or_default() += held.events;
    }
    classes.into_iter().map(|(data_class, events)| ClassHeld { data_class, events }).collect()
}

/// The class of an event's most sensitive field; of what nobody knows any more, the one that travels least.
fn class_of(event_type: &str) -> DataClass {
    let versions = event_catalogue().filter(|event| event.name == event_type);
    versions.flat_map(|event| event.fields).map(|field| field.class).max().unwrap_or(DataClass::Restricted)
}
