//! Deletions, as far as time moves them: the steps that the platform itself takes, each one an append.
//!
//! Whatever destroys something reads the organization's holds in the same append: a hold that was placed
//! before it stops it, one that is placed after it comes too late, and the log tells which.

use super::{holds_stream, request_stream, schedule_stream, subject_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::sessions_stream;
use crate::organizations::slug_claim;
use crate::store::ClaimKey;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::{
        deletion_request::{
            Certify, DeletionCommand, DeletionError, DeletionRequest, DeletionStatus, DeletionSubject, Dossier, ErasureStep, Retained,
        },
        legal_holds::{LegalHolds, Span},
        retention_schedule::{RecordClass, RetentionSchedule},
    },
    identity::{
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand},
        user::{User, UserCommand},
    },
    kernel::{Admission, DeletionRequestId, Purpose},
    organizations::organization::{Organization, OrganizationCommand},
};

fn known(unit: &mut Unit<'_>, request: DeletionRequestId) -> Result<Dossier, Refused> {
    unit.state::<DeletionRequest>(request)?.dossier().cloned().ok_or_else(|| DeletionError::NotFound.into())
}

fn status(unit: &mut Unit<'_>, request: DeletionRequestId) -> Result<Answer, Refused> {
    let status = known(unit, request)?.status;
    Ok(Answer::new("id", request, status.name()))
}

fn is_held(unit: &mut Unit<'_>, subject: DeletionSubject, footprint: Option<&Span>) -> Result<bool, Refused> {
    let organization = unit.organization();
    Ok(!unit.state::<LegalHolds>(organization)?.on(subject, footprint).is_empty())
}

/// What of the subject has a date, and which one: of what is not destroyed yet, by the schedule as it is now.
pub fn dates_of(dossier: &Dossier, schedule: &RetentionSchedule, now: DateTime<Utc>) -> Vec<Retained> {
    let since = dossier.ended_at.unwrap_or(now);
    let left: Vec<Purpose> = match dossier.stands() {
        DeletionStatus::RetentionCountdown => {
            dossier.retained.iter().map(|retained| retained.purpose).filter(|purpose| purpose.is_of_people()).collect()
        }
        _ => Purpose::OF_PEOPLE.to_vec(),
    };
    schedule.dates_of(dossier.subject, &left, since)
}

/// Ends the grace period, where it is over: the subject is hidden, and out.
pub struct EndGrace {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    /// Over which time something is recorded of the subject; where that is not known, every hold is on it.
    pub footprint: Option<Span>,
}

impl Operation for EndGrace {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut streams = vec![request_stream(admission, self.request_id)];
        if let Some(user) = self.subject.user() {
            streams.extend([subject_stream(admission, self.subject), sessions_stream(admission, user)]);
        }
        streams
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission), schedule_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let organization = unit.organization();
        if known(unit, self.request_id)?.status != DeletionStatus::Grace {
            return status(unit, self.request_id);
        }
        let held = is_held(unit, self.subject, self.footprint.as_ref())?;
        let recovery_days = unit.state::<RetentionSchedule>(organization)?.days(RecordClass::DeletionRecovery);
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::EndGrace { held, recovery_days })?;
        let deleted = known(unit, self.request_id)?.status == DeletionStatus::SoftDeleted;
        if let Some(user_id) = self.subject.user().filter(|_| deleted) {
            unit.run::<User>(user_id, &UserCommand::SoftDelete)?;
            let action = SessionsAction::RevokeAll { except: None, reason: RevocationReason::ByAdmin };
            unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action })?;
        }
        status(unit, self.request_id)
    }
}

/// Orders the destruction of what has no reason to stay any more, where its time has come.
pub struct BeginErasure {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    pub footprint: Option<Span>,
}

impl Operation for BeginErasure {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission), schedule_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (organization, now) = (unit.organization(), unit.facts().now);
        let dossier = known(unit, self.request_id)?;
        if !matches!(dossier.status, DeletionStatus::SoftDeleted | DeletionStatus::RetentionCountdown) {
            return status(unit, self.request_id);
        }
        let held = is_held(unit, self.subject, self.footprint.as_ref())?;
        let dates = dates_of(&dossier, unit.state::<RetentionSchedule>(organization)?, now);
        let purposes = dates.into_iter().filter(|kept| kept.until <= now).map(|kept| kept.purpose).collect();
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::BeginErasure { held, purposes })?;
        status(unit, self.request_id)
    }
}

/// Records a step of an erasure that is done. With the keys, what was claimed under them is let go.
pub struct RecordErasureStep {
    pub request_id: DeletionRequestId,
    pub step: ErasureStep,
    pub count: i64,
    pub claims: Vec<ClaimKey>,
}

impl Operation for RecordErasureStep {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let record = DeletionCommand::RecordStep { step: self.step, count: self.count };
        if unit.run::<DeletionRequest>(self.request_id, &record)? > 0 && !self.claims.is_empty() {
            match known(unit, self.request_id)?.subject {
                DeletionSubject::Organization(organization) => unit.release_all(organization, &self.claims),
                DeletionSubject::User(_) => self.claims.iter().for_each(|claim| unit.release(*claim)),
            }
        }
        Ok(Answer::new("id", self.request_id, self.step.name()))
    }
}

/// Ends a round of erasure with its certificate; the last round purges the subject.
pub struct CertifyErasure {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    pub certificate: String,
}

impl Operation for CertifyErasure {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id), subject_stream(admission, self.subject)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![schedule_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (organization, now) = (unit.organization(), unit.facts().now);
        let dossier = known(unit, self.request_id)?;
        let Some(erasure) = &dossier.erasure else { return status(unit, self.request_id) };
        let schedule = unit.state::<RetentionSchedule>(organization)?;
        let backups_until = schedule.until(RecordClass::Backup, dossier.ended_at.unwrap_or(now));
        let retained = dates_of(&dossier, schedule, now).into_iter().filter(|kept| !erasure.purposes.contains(&kept.purpose)).collect();
        let certify = Certify { certificate: self.certificate.clone(), retained, backups_until };
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Certify(certify))?;
        if known(unit, self.request_id)?.status == DeletionStatus::Purged {
            purge(unit, self.subject)?;
        }
        status(unit, self.request_id)
    }
}

fn purge(unit: &mut Unit<'_>, subject: DeletionSubject) -> Result<(), Refused> {
    match subject {
        DeletionSubject::User(user) => unit.run::<User>(user, &UserCommand::Purge).map(drop),
        DeletionSubject::Organization(organization) => {
            unit.run::<Organization>(organization, &OrganizationCommand::Purge)?;
            if let Some(profile) = unit.state::<Organization>(organization)?.profile() {
                let slug = slug_claim(&profile.slug);
                unit.release(slug);
            }
            Ok(())
        }
    }
}

/// Stops a deletion that a hold is on, and lets one go on that none is on any more.
pub struct CheckDeletionHold {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    pub footprint: Option<Span>,
}

impl Operation for CheckDeletionHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let held = is_held(unit, self.subject, self.footprint.as_ref())?;
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::CheckHold { held })?;
        status(unit, self.request_id)
    }
}

/// Gives what is kept of a subject the dates of the schedule as it is now.
pub struct RescheduleRetention {
    pub request_id: DeletionRequestId,
}

impl Operation for RescheduleRetention {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![request_stream(admission, self.request_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![schedule_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (organization, now) = (unit.organization(), unit.facts().now);
        let dossier = known(unit, self.request_id)?;
        let schedule = unit.state::<RetentionSchedule>(organization)?;
        let backups_until = schedule.until(RecordClass::Backup, dossier.ended_at.unwrap_or(now));
        let retained = dates_of(&dossier, schedule, now);
        unit.run::<DeletionRequest>(self.request_id, &DeletionCommand::Reschedule { retained, backups_until })?;
        status(unit, self.request_id)
    }
}
