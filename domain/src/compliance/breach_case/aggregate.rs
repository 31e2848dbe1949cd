//! The rules of a breach.

use super::{
    AuthorityNotified, BreachAssessed, BreachCaseCommand, BreachCaseError, BreachCaseEvent, BreachClosed, BreachDescribed, BreachOpened,
    BreachOverdue, BreachRisk, BreachStatus, DescribeBreach, NotInformedGround, NotificationWaived, OpenBreach, SubjectsInformed, status,
};
use crate::kernel::{Aggregate, BreachId, Facts, Personal, Transition, UserId, calendar::months_later, text::is_prose};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// From the moment that somebody became aware of it (GDPR, article 33(1)).
pub const NOTIFY_WITHIN_HOURS: i64 = 72;
/// What is older was handled long ago, or is a typing error.
pub const AWARE_MAX_MONTHS_AGO: u32 = 12;

/// What happened, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub breach_id: BreachId,
    pub status: BreachStatus,
    pub due_at: DateTime<Utc>,
    risk: Option<BreachRisk>,
    /// How many people it concerns, as it was assessed last.
    subjects: u32,
    /// Whether those whom it concerns, as it was assessed last, were told.
    informed: bool,
    /// Whether it is on record what the authority is told (article 33(3) and (5)).
    described: bool,
    /// Whether it stands with the notification why it came so late.
    delayed: bool,
    /// Whether it is recorded that its time is over.
    marked_overdue: bool,
}

/// A breach: nothing, until opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BreachCase(Option<Breach>);

impl BreachCase {
    /// What happened.
    pub fn breach(&self) -> Option<&Breach> {
        self.0.as_ref()
    }

    fn known(&self) -> Result<&Breach, BreachCaseError> {
        self.0.as_ref().ok_or(BreachCaseError::NotFound)
    }

    fn open(&self, command: &OpenBreach, facts: &Facts) -> Result<BreachCaseEvent, BreachCaseError> {
        if self.0.is_some() {
            return Err(BreachCaseError::AlreadyExists);
        }
        let summary = sealed(&command.summary, "summary")?;
        if command.aware_at > facts.now {
            return Err(BreachCaseError::AwareInFuture);
        }
        if months_later(command.aware_at, AWARE_MAX_MONTHS_AGO) < facts.now {
            return Err(BreachCaseError::AwareLongAgo);
        }
        let OpenBreach { breach_id, nature, aware_at, .. } = *command;
        let due_at = aware_at + TimeDelta::hours(NOTIFY_WITHIN_HOURS);
        Ok(BreachOpened { breach_id, nature, summary, aware_at, due_at, opened_by: facts.actor }.into())
    }

    /// Also after the authority was told: what is known comes in phases (article 33(4)).
    fn assess(&self, risk: BreachRisk, subjects: u32, reason: Option<&String>, actor: UserId) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        let told = status::ASSESS_NOTIFIED.leads_from(breach.status);
        let breach_id = breach.leaving_by(if told { status::ASSESS_NOTIFIED } else { status::ASSESS })?;
        let reason = reason.map(|reason| sealed(reason, "reason")).transpose()?;
        if breach.risk.is_some() && reason.is_none() {
            return Err(BreachCaseError::ReassessmentReasonMissing);
        }
        Ok(BreachAssessed { breach_id, risk, subjects, assessed_by: actor, reason }.into())
    }

    /// As often as more is known, until the case is closed.
    fn describe(&self, known: &DescribeBreach, actor: UserId) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        if breach.status == BreachStatus::Closed {
            return Err(BreachCaseError::TransitionForbidden { from: breach.status, to: breach.status });
        }
        Ok(BreachDescribed {
            breach_id: breach.breach_id,
            data_categories: sealed(&known.data_categories, "data_categories")?,
            people_categories: sealed(&known.people_categories, "people_categories")?,
            records: known.records,
            consequences: sealed(&known.consequences, "consequences")?,
            measures: sealed(&known.measures, "measures")?,
            contact: sealed(&known.contact, "contact")?,
            described_by: actor,
        }
        .into())
    }

    /// Again for its reference, which the authority gives later, mostly: what stands in the case is what was said
    /// last, so why it was told so late is said again where it was said before.
    fn notify(&self, reference: Option<&String>, delay: Option<&String>, facts: &Facts) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        let told = breach.status == BreachStatus::Notified && reference.is_some();
        let breach_id = if told { breach.breach_id } else { breach.leaving_by(status::NOTIFY)? };
        let reference = reference.map(|reference| sealed(reference, "reference")).transpose()?;
        let delay_reason = delay.map(|delay| sealed(delay, "delay_reason")).transpose()?;
        let late = if told { breach.delayed } else { facts.now > breach.due_at };
        if late && delay_reason.is_none() {
            return Err(BreachCaseError::DelayReasonMissing);
        }
        Ok(AuthorityNotified { breach_id, reference, delay_reason, notified_by: facts.actor }.into())
    }

    fn waive(&self, reason: &str, actor: UserId) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        let breach_id = breach.leaving_by(status::WAIVE)?;
        let reason = sealed(reason, "reason")?;
        if breach.risk != Some(BreachRisk::Unlikely) {
            return Err(BreachCaseError::HarmLikely);
        }
        Ok(NotificationWaived { breach_id, reason, waived_by: actor }.into())
    }

    fn inform(&self, actor: UserId) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        match breach.status {
            BreachStatus::Closed => Err(BreachCaseError::TransitionForbidden { from: breach.status, to: breach.status }),
            _ if breach.informed => Err(BreachCaseError::AlreadyInformed),
            _ => Ok(SubjectsInformed { breach_id: breach.breach_id, informed_by: actor }.into()),
        }
    }

    /// Those whom a high risk concerns were told, or it stands on record why not (article 34(3)). What the authority
    /// was told of is described (article 33(5)).
    fn close(&self, not_informed: Option<NotInformedGround>, actor: UserId) -> Result<BreachCaseEvent, BreachCaseError> {
        let breach = self.known()?;
        let breach_id = breach.leaving_by(status::CLOSE)?;
        let silent = breach.risk.ok_or(BreachCaseError::NotAssessed)? == BreachRisk::High && !breach.informed;
        match (silent, not_informed) {
            (true, None) => Err(BreachCaseError::SubjectsNotInformed),
            (false, Some(_)) => Err(BreachCaseError::GroundUnneeded),
            _ if breach.status == BreachStatus::Notified && !breach.described => Err(BreachCaseError::NotDescribed),
            _ => Ok(BreachClosed { breach_id, closed_by: actor, not_informed }.into()),
        }
    }

    /// That the 72 hours are over, where that is not recorded yet.
    fn overdue(&self, now: DateTime<Utc>) -> Option<BreachCaseEvent> {
        let breach = self.0.as_ref().filter(|breach| breach.status.is_on_the_clock() && !breach.marked_overdue)?;
        let Breach { breach_id, due_at, .. } = *breach;
        (due_at <= now).then(|| BreachOverdue { breach_id, due_at }.into())
    }
}

impl Breach {
    /// Those whom a high risk concerns are told (GDPR, article 34): of whom nobody knew when they were told, or who
    /// were told of less, were not. That somebody was told then stays on record, and a case that is closed stays so.
    fn assessed(&mut self, assessed: &BreachAssessed) {
        let raised = assessed.risk == BreachRisk::High && self.risk != Some(BreachRisk::High);
        let more = assessed.subjects > self.subjects;
        if self.risk.is_some() && (raised || more) {
            self.informed = false;
        }
        (self.risk, self.subjects) = (Some(assessed.risk), assessed.subjects);
    }

    fn leaving_by(&self, transition: Transition<BreachStatus>) -> Result<BreachId, BreachCaseError> {
        if transition.leads_from(self.status) {
            Ok(self.breach_id)
        } else {
            Err(BreachCaseError::TransitionForbidden { from: self.status, to: transition.to })
        }
    }
}

impl Aggregate for BreachCase {
    const TYPE: &'static str = "breach_case";
    const SHAPE: u16 = 2;

    type Command = BreachCaseCommand;
    type Event = BreachCaseEvent;
    type Error = BreachCaseError;

    fn decide(&self, command: &BreachCaseCommand, facts: &Facts) -> Result<Vec<BreachCaseEvent>, BreachCaseError> {
        let decided = match command {
            BreachCaseCommand::Open(open) => return Ok(vec![self.open(open, facts)?]),
            BreachCaseCommand::Assess { risk, subjects, reason } => self.assess(*risk, *subjects, reason.as_ref(), facts.actor)?,
            BreachCaseCommand::Describe(known) => self.describe(known, facts.actor)?,
            BreachCaseCommand::NotifyAuthority { reference, delay_reason } => {
                self.notify(reference.as_ref(), delay_reason.as_ref(), facts)?
            }
            BreachCaseCommand::Waive { reason } => self.waive(reason, facts.actor)?,
            BreachCaseCommand::InformSubjects => self.inform(facts.actor)?,
            BreachCaseCommand::Close { not_informed } => self.close(*not_informed, facts.actor)?,
            BreachCaseCommand::MarkOverdue => return Ok(self.overdue(facts.now).into_iter().collect()),
        };
        let mut events: Vec<_> = self.overdue(facts.now).into_iter().chain([decided]).collect();
        // Who finds harm likely after all puts the case back on a clock whose timer may have rung in vain.
        let mut after = self.clone();
        events.iter().for_each(|event| after.evolve(event));
        events.extend(after.overdue(facts.now));
        Ok(events)
    }

    fn evolve(&mut self, event: &BreachCaseEvent) {
        if let BreachCaseEvent::BreachOpened(opened) = event {
            self.0 = Some(begun(opened));
        }
        let Some(breach) = &mut self.0 else { return };
        match event {
            BreachCaseEvent::BreachAssessed(assessed) => breach.assessed(assessed),
            BreachCaseEvent::BreachDescribed(_) => breach.described = true,
            BreachCaseEvent::AuthorityNotified(notified) => breach.delayed = notified.delay_reason.is_some(),
            BreachCaseEvent::SubjectsInformed(_) => breach.informed = true,
            BreachCaseEvent::BreachOverdue(_) => breach.marked_overdue = true,
            _ => {}
        }
        if let Some(status) = event.status() {
            breach.status = breach.status.with(status);
        }
    }
}

fn begun(opened: &BreachOpened) -> Breach {
    Breach {
        breach_id: opened.breach_id,
        status: BreachStatus::Opened,
        due_at: opened.due_at,
        risk: None,
        subjects: 0,
        informed: false,
        described: false,
        delayed: false,
        marked_overdue: false,
    }
}

fn sealed(text: &str, field: &'static str) -> Result<Personal<String>, BreachCaseError> {
    if is_prose(text) { Ok(Personal::Clear(text.to_owned())) } else { Err(BreachCaseError::TextInvalid(field)) }
}
