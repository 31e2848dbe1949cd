//! What a deletion would take away and what it would leave, on which ground and from when.

use super::{checks::holds_on, plan::Plan};
use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_commands::compliance::SEE_HOLDS;
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionRequest, DeletionStatus, DeletionSubject},
        retention_schedule::{RecordClass, RetentionSchedule},
    },
    identity::user::User,
    kernel::{Admitted, DeletionRequestId, LegalHoldId, Purpose, UserId},
    registry::event_catalogue,
};
use palmares_projections::{
    compliance::deletion_requests::{SealedFields, audited, sealed_by_field, sealed_by_purpose},
    engine::{ReadError, TenantReader},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What would become of what is kept of a user, were their deletion approved now; of the whole
/// organization where no user is named. From its approval on, what becomes of it by the dates that the deletion has; of
/// whom is `PURGED` already, nothing is left to go or to stay. Nothing is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewDeletion {
    #[serde(default)]
    pub user_id: Option<UserId>,
}

/// What would go, what would stay, and what stands in the way.
#[derive(Serialize, ToSchema)]
pub struct DeletionPreview {
    /// Where the deletion stands; missing where none is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DeletionStatus>,
    /// When the grace period would be over: cancellable until then. Missing once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_deleted_at: Option<DateTime<Utc>>,
    /// When the recovery window would be over, or was: restorable until then.
    pub erased_at: DateTime<Utc>,
    /// What would be destroyed then. Empty after it.
    pub goes: Vec<Concerned>,
    /// What would stay, or stays, each until its date. Empty once everything went: what the log has then is under a
    /// random id.
    pub stays: Vec<Concerned>,
    /// Legal holds that are in the way; missing for whoever may not see holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Vec<LegalHoldId>>,
}

/// Records of one class.
#[derive(Serialize, ToSchema)]
pub struct Concerned {
    pub class: RecordClass,
    /// The fields of events that hold it: of a user those that hold something of theirs, of an organization all that may.
    pub fields: Vec<String>,
    /// How many values there are; of `AUDIT`, how many entries of the log are about the user, what happened to their
    /// points included. Backups are not opened to be counted.
    pub records: Option<i64>,
    /// On which ground it was kept, or stays.
    pub ground: &'static str,
    /// When it is destroyed; at the earliest of what belongs to the log, which stays under random ids.
    pub destroyed_at: DateTime<Utc>,
}

impl Action for PreviewDeletion {
    type Output = DeletionPreview;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<DeletionPreview, Problem> {
        let (organization, user) = (admitted.admission().organization, admitted.value().user_id);
        let subject = user.map_or(DeletionSubject::Organization(organization), DeletionSubject::User);
        if let Some(user) = user {
            let known = services.engine.look(organization, user, |user: &User| user.profile().is_some()).await?;
            known.then_some(()).ok_or_else(Problem::not_found)?;
        }
        let seen = admitted.admission().rights.permit(SEE_HOLDS);
        let holds = if seen { Some(holds_on(services, admitted.tenant(), subject).await?) } else { None };
        let schedule = services.engine.state::<RetentionSchedule>(organization, organization).await?;
        let request = services.engine.state::<DeletionRequest>(organization, DeletionRequestId::of(subject.id())).await?;
        let plan = Plan::of(subject, request.dossier(), &schedule, services.engine.now());
        let (goes, stays) = if plan.is_over() {
            (Vec::new(), Vec::new())
        } else {
            let mut reader = services.readers.open(admitted.tenant(), None).await?;
            concerned(&mut reader, user, &plan, &schedule).await?
        };
        let Plan { status, soft_deleted_at, erased_at, .. } = plan;
        Ok(DeletionPreview { status, soft_deleted_at, erased_at, goes, stays, holds })
    }
}

/// What goes with the erasure, and what stays after it.
async fn concerned(
    reader: &mut TenantReader<'_>,
    user: Option<UserId>,
    plan: &Plan,
    schedule: &RetentionSchedule,
) -> Result<(Vec<Concerned>, Vec<Concerned>), ReadError> {
    let mut sealed = sealed(reader, user).await?;
    let audited = audited(reader, user).await?;
    let of_purposes = plan.dates.iter().map(|kept| {
        let class = RecordClass::of(kept.purpose);
        let SealedFields { fields, values } = sealed.remove(&kept.purpose).unwrap_or_default();
        Concerned { class, fields, records: Some(values), ground: class.ground(), destroyed_at: kept.until }
    });
    let (goes, mut stays): (Vec<_>, Vec<_>) = of_purposes.partition(|concerned| concerned.destroyed_at <= plan.erased_at);
    let of_log = [(RecordClass::Audit, schedule.until(RecordClass::Audit, plan.erased_at)), (RecordClass::Backup, plan.backups_until)];
    stays.extend(of_log.map(|(class, destroyed_at)| Concerned {
        class,
        fields: Vec::new(),
        records: (class == RecordClass::Audit).then_some(audited),
        ground: class.ground(),
        destroyed_at,
    }));
    Ok((goes, stays))
}

/// What is kept by purpose: of a user what holds something of theirs, of an organization what may hold something.
async fn sealed(reader: &mut TenantReader<'_>, user: Option<UserId>) -> Result<BTreeMap<Purpose, SealedFields>, ReadError> {
    if let Some(user) = user {
        return sealed_by_field(reader, user).await;
    }
    let counts = sealed_by_purpose(reader, None).await?;
    let of = |purpose: Purpose| {
        let values = counts.get(&purpose).copied().unwrap_or(0);
        (purpose, SealedFields { fields: fields_of(purpose), values })
    };
    Ok(Purpose::OF_PEOPLE.into_iter().chain([Purpose::Case]).map(of).collect())
}

/// The fields that are sealed for a purpose, by the catalogue of events.
fn fields_of(purpose: Purpose) -> Vec<String> {
    let fields = event_catalogue().flat_map(|event| event.fields.iter().map(move |field| (event, field)));
    let of_purpose = fields.filter(|(_, field)| field.personal.is_some_and(|(_, sealed_for)| sealed_for == purpose));
    of_purpose.map(|(event, field)| format!("{}.{}", event.name, field.name)).collect()
}
