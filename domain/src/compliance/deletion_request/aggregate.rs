//! The rules of a deletion.

use super::{
    Approve, Certify, CheckOutcome, DeletionApproved, DeletionCommand, DeletionError, DeletionEvent, DeletionGraceBegun, DeletionHeld,
    DeletionHoldLifted, DeletionKind, DeletionPurged, DeletionRefused, DeletionReviewBegun, DeletionStatus, DeletionSubject,
    DeletionSubmitted, DeletionVerified, ErasureBegun, ErasureCertified, ErasureStep, ErasureStepDone, PurgeConditions, RefusalGround,
    RestorationExplained, Retained, RetentionCountdownBegun, RetentionRescheduled, SubjectAnonymised, SubjectErased, SubjectRestored,
    SubjectSoftDeleted, asked, status,
};
use crate::kernel::{Aggregate, DeletionRequestId, Facts, Personal, Purpose, Transition, UserId, text::is_prose};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So many people beside whoever asked agree to a forced deletion (E-172).
pub const FORCED_APPROVALS: usize = 2;

/// What was asked for, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    pub request_id: DeletionRequestId,
    pub subject: DeletionSubject,
    pub kind: DeletionKind,
    pub requested_by: UserId,
    pub status: DeletionStatus,
    /// Where it stood when a hold stopped it.
    pub before_hold: Option<DeletionStatus>,
    pub approvals: BTreeSet<UserId>,
    /// When something is to be done next.
    pub due_at: Option<DateTime<Utc>>,
    /// Whose account ended then, from where retention counts.
    pub ended_at: Option<DateTime<Utc>>,
    /// The erasure that is under way.
    pub erasure: Option<Erasure>,
    /// Rounds of erasure that have begun.
    pub rounds: u32,
    pub retained: Vec<Retained>,
    pub backups_until: Option<DateTime<Utc>>,
}

/// A round of erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    pub purposes: Vec<Purpose>,
    /// The last step that is done.
    pub done: Option<ErasureStep>,
    /// How many keys, projections or rows each step was that is done, in their order.
    pub counts: Vec<i64>,
}

impl Dossier {
    /// Whoever asked for their own deletion, and is told what `actor` decided about it.
    pub(super) fn told_by(&self, actor: UserId) -> Option<UserId> {
        self.subject.user().filter(|user| *user == self.requested_by && *user != actor)
    }

    /// Whether something of the subject was destroyed: what is only ordered may still be held.
    pub fn is_erased(&self) -> bool {
        self.rounds > 1 || self.rounds == 1 && self.erasure.as_ref().is_none_or(|erasure| erasure.done.is_some())
    }

    /// Whether a round of erasure is under way whose keys are destroyed.
    pub fn is_destroying(&self) -> bool {
        self.erasure.as_ref().is_some_and(|erasure| erasure.done.is_some())
    }

    /// Whether nothing of the subject is kept any more, but in backups.
    pub fn is_erased_whole(&self) -> bool {
        let none_kept = self.is_erased() && self.erasure.is_none() && self.retained.is_empty();
        none_kept || self.status == DeletionStatus::Purged
    }

    /// Where it stands, or where a hold stopped it.
    pub fn stands(&self) -> DeletionStatus {
        self.before_hold.unwrap_or(self.status)
    }
}

/// A deletion: nothing, until asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeletionRequest(Option<Dossier>);

impl DeletionRequest {
    /// What was asked for, and how far it is.
    pub fn dossier(&self) -> Option<&Dossier> {
        self.0.as_ref()
    }

    fn known(&self) -> Result<&Dossier, DeletionError> {
        self.0.as_ref().ok_or(DeletionError::NotFound)
    }

    /// The deletion, where `transition` leads from where it stands (B.3).
    fn leaving_by(&self, transition: Transition<DeletionStatus>) -> Result<&Dossier, DeletionError> {
        let dossier = self.known()?;
        if dossier.status == DeletionStatus::Held {
            return Err(DeletionError::OnHold);
        }
        if !transition.leads_from(dossier.status) {
            return Err(DeletionError::TransitionForbidden { from: dossier.status, to: transition.to });
        }
        Ok(dossier)
    }

    /// The deletion, where a way that ends it leads from where it stands, or from where a hold stopped it: what is held
    /// has to stay, and whoever may have it stay for good need not wait for that.
    fn ending_by(&self, transition: Transition<DeletionStatus>) -> Result<&Dossier, DeletionError> {
        match self.known()? {
            dossier if dossier.before_hold.is_some_and(|stood| transition.leads_from(stood)) => Ok(dossier),
            _ => self.leaving_by(transition),
        }
    }

    /// The review begins by itself: nothing stands between the proof and the queue.
    fn verify(&self, actor: UserId) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.leaving_by(status::VERIFY)?;
        if dossier.requested_by != actor {
            return Err(DeletionError::NotTheRequester);
        }
        let request_id = dossier.request_id;
        Ok(vec![DeletionVerified { request_id }.into(), DeletionReviewBegun { request_id }.into()])
    }

    /// The deletion, for a second person: neither who asked nor who is deleted.
    fn of_another(dossier: &Dossier, actor: UserId) -> Result<(), DeletionError> {
        let own = dossier.requested_by == actor || dossier.subject.user() == Some(actor);
        if own { Err(DeletionError::OwnRequest) } else { Ok(()) }
    }

    fn approve(&self, approve: &Approve, facts: &Facts) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.leaving_by(status::APPROVE)?;
        Self::of_another(dossier, facts.actor)?;
        if dossier.approvals.contains(&facts.actor) {
            return Err(DeletionError::AlreadyApproved);
        }
        let open: Vec<_> =
            approve.checks.iter().filter(|checked| checked.outcome == CheckOutcome::Open).map(|checked| checked.check).collect();
        if !open.is_empty() {
            return Err(DeletionError::ChecksOpen(open));
        }
        let request_id = dossier.request_id;
        let approved = DeletionApproved { request_id, approved_by: facts.actor, checks: approve.checks.clone() };
        let needed = if dossier.kind == DeletionKind::Forced { FORCED_APPROVALS } else { 1 };
        let complete = dossier.approvals.len() + 1 >= needed;
        let grace_until = facts.now + TimeDelta::days(approve.grace_days.into());
        let begun = complete.then(|| DeletionGraceBegun { request_id, grace_until }.into());
        Ok([approved.into()].into_iter().chain(begun).collect())
    }

    fn refuse(&self, ground: RefusalGround, actor: UserId) -> Result<DeletionEvent, DeletionError> {
        let dossier = self.ending_by(status::REFUSE)?;
        Self::of_another(dossier, actor)?;
        Ok(DeletionRefused { request_id: dossier.request_id, refused_by: actor, ground, told: dossier.told_by(actor) }.into())
    }

    fn end_grace(&self, held: bool, recovery_days: u32, now: DateTime<Utc>) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.leaving_by(status::SOFT_DELETE)?;
        if !is_due(dossier, now) {
            return Ok(Vec::new());
        }
        let Dossier { request_id, subject, requested_by: deleted_by, .. } = *dossier;
        if held {
            return Ok(vec![DeletionHeld { request_id }.into()]);
        }
        let restore_until = now + TimeDelta::days(recovery_days.into());
        Ok(vec![SubjectSoftDeleted { request_id, subject, deleted_by, restore_until }.into()])
    }

    /// What a person asked for themselves others undo with a reason only, which is on record and told to the person.
    fn restore(&self, reason: Option<&String>, facts: &Facts) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.ending_by(status::RESTORE)?;
        if dossier.rounds > 0 || is_due(dossier, facts.now) {
            return Err(DeletionError::RecoveryOver);
        }
        let Dossier { request_id, subject, requested_by, .. } = *dossier;
        let restored_by = facts.actor;
        if reason.is_some_and(|reason| !is_prose(reason)) {
            return Err(DeletionError::ReasonInvalid);
        }
        if reason.is_none() && subject.user() == Some(requested_by) && restored_by != requested_by {
            return Err(DeletionError::ReasonMissing);
        }
        let concerns = subject.user().unwrap_or(restored_by);
        let explained = reason.map(|reason| {
            let reason = Personal::Clear(reason.clone());
            RestorationExplained { request_id, subject, restored_by, concerns, reason }.into()
        });
        Ok([SubjectRestored { request_id, subject, restored_by }.into()].into_iter().chain(explained).collect())
    }

    fn begin_erasure(&self, held: bool, purposes: &[Purpose], now: DateTime<Utc>) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.known()?;
        let way = if dossier.status == DeletionStatus::RetentionCountdown { status::PURGE } else { status::ANONYMISE };
        let dossier = self.leaving_by(way)?;
        if dossier.erasure.is_some() || !is_due(dossier, now) {
            return Ok(Vec::new());
        }
        let Dossier { request_id, subject, rounds, .. } = *dossier;
        if held {
            return Ok(vec![DeletionHeld { request_id }.into()]);
        }
        Ok(vec![ErasureBegun { request_id, subject, round: rounds + 1, purposes: purposes.to_vec() }.into()])
    }

    /// A step that is done already was done before a crash: it is not done twice.
    fn record_step(&self, step: ErasureStep, count: i64) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.known()?;
        let erasure = dossier.erasure.as_ref().ok_or(DeletionError::StepOutOfOrder)?;
        if erasure.done.is_some_and(|done| step <= done) {
            return Ok(Vec::new());
        }
        if ErasureStep::after(erasure.done) != Some(step) {
            return Err(DeletionError::StepOutOfOrder);
        }
        let Dossier { request_id, subject, rounds: round, .. } = *dossier;
        let erased = || SubjectErased { request_id, subject, purposes: erasure.purposes.clone() }.into();
        let told = (step == ErasureStep::KeysDestroyed).then(erased);
        Ok([ErasureStepDone { request_id, round, step, count }.into()].into_iter().chain(told).collect())
    }

    fn certify(&self, certify: &Certify, now: DateTime<Utc>) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.known()?;
        let Some(erasure) = &dossier.erasure else { return Ok(Vec::new()) };
        if erasure.done != ErasureStep::ALL.last().copied() {
            return Err(DeletionError::StepOutOfOrder);
        }
        let Dossier { request_id, subject, .. } = *dossier;
        let Certify { certificate, retained, backups_until } = certify;
        let (certificate, backups_until) = (certificate.clone(), *backups_until);
        let due_at = next_due(retained, backups_until);
        // What is destroyed is certified, also where a hold came too late for it: the hold is on what is kept.
        if dossier.stands() == DeletionStatus::SoftDeleted {
            let begun = RetentionCountdownBegun { request_id, retained: retained.clone(), backups_until, due_at };
            return Ok(vec![SubjectAnonymised { request_id, certificate }.into(), begun.into()]);
        }
        self.ending_by(status::PURGE)?;
        match dossier.approvals.first().filter(|_| retained.is_empty() && backups_until <= now) {
            Some(reviewed_by) => {
                let conditions = PurgeConditions {
                    retention_expired_at: dossier.due_at.unwrap_or(now),
                    reviewed_by: *reviewed_by,
                    dependencies_cleared_at: now,
                    backups_expired_at: backups_until,
                };
                Ok(vec![DeletionPurged { request_id, subject, certificate, conditions }.into()])
            }
            None => {
                let rescheduled = RetentionRescheduled { request_id, retained: retained.clone(), backups_until, due_at };
                Ok(vec![ErasureCertified { request_id, certificate }.into(), rescheduled.into()])
            }
        }
    }

    /// What is destroyed cannot be held any more; everything else can, also after the order, and goes on where it stood.
    fn check_hold(&self, held: bool) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.known()?;
        let request_id = dossier.request_id;
        Ok(match (held, dossier.before_hold) {
            (true, None) if status::HOLD.leads_from(dossier.status) && !dossier.is_destroying() => {
                vec![DeletionHeld { request_id }.into()]
            }
            (false, Some(status)) => vec![DeletionHoldLifted { request_id, status, due_at: dossier.due_at }.into()],
            _ => Vec::new(),
        })
    }

    fn reschedule(&self, retained: &[Retained], backups_until: DateTime<Utc>) -> Result<Vec<DeletionEvent>, DeletionError> {
        let dossier = self.known()?;
        let stands = dossier.stands() == DeletionStatus::RetentionCountdown;
        let same = dossier.retained == retained && dossier.backups_until == Some(backups_until);
        if !stands || dossier.erasure.is_some() || same {
            return Ok(Vec::new());
        }
        let (request_id, due_at) = (dossier.request_id, next_due(retained, backups_until));
        Ok(vec![RetentionRescheduled { request_id, retained: retained.to_vec(), backups_until, due_at }.into()])
    }
}

fn is_due(dossier: &Dossier, now: DateTime<Utc>) -> bool {
    dossier.due_at.is_some_and(|due_at| due_at <= now)
}

/// The first date on which something may be destroyed; without any, the one on which all is over.
fn next_due(retained: &[Retained], backups_until: DateTime<Utc>) -> DateTime<Utc> {
    retained.iter().map(|retained| retained.until).min().unwrap_or(backups_until)
}

impl Aggregate for DeletionRequest {
    const TYPE: &'static str = "deletion_request";
    const SHAPE: u16 = 1;

    type Command = DeletionCommand;
    type Event = DeletionEvent;
    type Error = DeletionError;

    fn decide(&self, command: &DeletionCommand, facts: &Facts) -> Result<Vec<DeletionEvent>, DeletionError> {
        Ok(vec![match command {
            DeletionCommand::Submit(command) => asked::submitted(self.dossier(), command, facts.actor)?,
            DeletionCommand::Verify => return self.verify(facts.actor),
            DeletionCommand::Approve(approve) => return self.approve(approve, facts),
            DeletionCommand::Refuse(ground) => self.refuse(*ground, facts.actor)?,
            DeletionCommand::Cancel(cancel) => {
                return asked::cancelled(self.ending_by(status::CANCEL)?, cancel.reason.as_ref(), facts.actor);
            }
            DeletionCommand::EndGrace { held, recovery_days } => return self.end_grace(*held, *recovery_days, facts.now),
            DeletionCommand::Restore(restore) => return self.restore(restore.reason.as_ref(), facts),
            DeletionCommand::BeginErasure { held, purposes } => return self.begin_erasure(*held, purposes, facts.now),
            DeletionCommand::RecordStep { step, count } => return self.record_step(*step, *count),
            DeletionCommand::Certify(certify) => return self.certify(certify, facts.now),
            DeletionCommand::CheckHold { held } => return self.check_hold(*held),
            DeletionCommand::Reschedule { retained, backups_until } => return self.reschedule(retained, *backups_until),
        }])
    }

    fn evolve(&mut self, event: &DeletionEvent) {
        if let DeletionEvent::DeletionSubmitted(submitted) = event {
            self.0 = Some(begun(submitted));
        }
        let Some(dossier) = &mut self.0 else { return };
        match event {
            DeletionEvent::DeletionHeld(_) => dossier.before_hold = dossier.before_hold.or(Some(dossier.status)),
            DeletionEvent::DeletionApproved(approved) => {
                dossier.approvals.insert(approved.approved_by);
            }
            DeletionEvent::SubjectSoftDeleted(deleted) => dossier.ended_at = Some(deleted.restore_until),
            DeletionEvent::ErasureBegun(begun) => {
                dossier.rounds = begun.round;
                dossier.erasure = Some(Erasure { purposes: begun.purposes.clone(), done: None, counts: Vec::new() });
            }
            DeletionEvent::ErasureStepDone(done) => {
                if let Some(erasure) = &mut dossier.erasure {
                    erasure.done = Some(done.step);
                    erasure.counts.push(done.count);
                }
            }
            DeletionEvent::RetentionCountdownBegun(begun) => {
                (dossier.retained, dossier.backups_until) = (begun.retained.clone(), Some(begun.backups_until));
            }
            DeletionEvent::RetentionRescheduled(rescheduled) => {
                (dossier.retained, dossier.backups_until) = (rescheduled.retained.clone(), Some(rescheduled.backups_until));
            }
            DeletionEvent::SubjectAnonymised(_) | DeletionEvent::ErasureCertified(_) | DeletionEvent::DeletionPurged(_) => {
                dossier.erasure = None;
            }
            _ => {}
        }
        if let Some(status) = event.status() {
            dossier.status = status;
            dossier.before_hold = dossier.before_hold.filter(|_| status == DeletionStatus::Held);
        }
        if let Some(due_at) = event.due_at() {
            dossier.due_at = Some(due_at);
        }
    }
}

fn begun(submitted: &DeletionSubmitted) -> Dossier {
    Dossier {
        request_id: submitted.request_id,
        subject: submitted.subject,
        kind: submitted.kind,
        requested_by: submitted.requested_by,
        status: DeletionStatus::Submitted,
        before_hold: None,
        approvals: BTreeSet::new(),
        due_at: None,
        ended_at: None,
        erasure: None,
        rounds: 0,
        retained: Vec::new(),
        backups_until: None,
    }
}
