//! The rules of an elevation.

use super::{
    ElevationApproved, ElevationCommand, ElevationEnded, ElevationError, ElevationEvent, ElevationExpired, ElevationRefused,
    ElevationRequested, ElevationReviewed, ElevationStarted, ElevationStatus, ElevationWithdrawn, RequestElevation, Scope, status,
};
use crate::{
    identity::{Role, RoleRef},
    kernel::{Aggregate, ElevationId, Facts, OrganizationId, Personal, Transition, UserId, text::is_prose},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long an approval waits to be used.
pub const START_WITHIN_HOURS: i64 = 24;
const ROLE_MAX_SECONDS: u32 = 8 * 3600;
const ACTING_AS_MAX_SECONDS: u32 = 3600;

/// What was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub elevation_id: ElevationId,
    pub requested_by: UserId,
    pub scope: Scope,
    /// What an approver must be able to give.
    pub roles: Vec<RoleRef>,
    pub duration_seconds: u32,
    /// As it was recorded last; see [`Elevation::status_at`].
    status: ElevationStatus,
    /// When it is over by time alone.
    due_at: Option<DateTime<Utc>>,
}

/// An elevation: nothing, until asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Elevation(Option<Request>);

impl Elevation {
    /// What was asked for.
    pub fn request(&self) -> Option<&Request> {
        self.0.as_ref()
    }

    /// Where it stands, whether or not somebody recorded yet that its time is over.
    pub fn status_at(&self, now: DateTime<Utc>) -> Option<ElevationStatus> {
        self.0.as_ref().map(|request| request.status_at(now))
    }

    /// What it gives this user now.
    pub fn in_force(&self, user: UserId, now: DateTime<Utc>) -> Option<Scope> {
        let request = self.0.as_ref().filter(|request| request.requested_by == user)?;
        (request.status_at(now) == ElevationStatus::Active).then_some(request.scope)
    }

    fn known(&self) -> Result<&Request, ElevationError> {
        self.0.as_ref().ok_or(ElevationError::NotFound)
    }

    /// The request, for whoever made it.
    fn own(&self, actor: UserId) -> Result<&Request, ElevationError> {
        self.known().ok().filter(|request| request.requested_by == actor).ok_or(ElevationError::NotFound)
    }

    /// The request, for a second person: neither who asked nor who is acted as.
    fn of_another(&self, actor: UserId) -> Result<&Request, ElevationError> {
        let request = self.known()?;
        if request.requested_by == actor || request.scope == Scope::ActingAs(actor) { Err(ElevationError::OwnRequest) } else { Ok(request) }
    }

    fn ask(&self, command: &RequestElevation, actor: UserId) -> Result<ElevationEvent, ElevationError> {
        if self.0.is_some() {
            return Err(ElevationError::AlreadyExists);
        }
        let platform = command.roles.iter().filter_map(|role| role.built_in()).any(Role::is_platform);
        let longest = match command.scope {
            Scope::Role(_) if platform && command.organization_id != OrganizationId::PLATFORM => {
                return Err(ElevationError::PlatformRoleElsewhere);
            }
            Scope::ActingAs(user) if user == actor => return Err(ElevationError::ActingAsOneself),
            Scope::ActingAs(_) if platform => return Err(ElevationError::ActingAsPlatform),
            Scope::Role(_) => ROLE_MAX_SECONDS,
            Scope::ActingAs(_) => ACTING_AS_MAX_SECONDS,
        };
        if !(1..=longest).contains(&command.duration_seconds) {
            return Err(ElevationError::DurationInvalid);
        }
        if !is_prose(&command.reason) {
            return Err(ElevationError::ReasonInvalid);
        }
        Ok(ElevationRequested {
            elevation_id: command.elevation_id,
            requested_by: actor,
            scope: command.scope,
            roles: command.roles.clone(),
            duration_seconds: command.duration_seconds,
            concerns: command.scope.concerns(actor),
            reason: Personal::Clear(command.reason.clone()),
        }
        .into())
    }

    fn approve(&self, facts: &Facts) -> Result<ElevationEvent, ElevationError> {
        let request = self.of_another(facts.actor)?;
        let elevation_id = request.leaving_by(status::APPROVE, facts.now)?;
        let start_by = facts.now + TimeDelta::hours(START_WITHIN_HOURS);
        Ok(ElevationApproved { elevation_id, approved_by: facts.actor, start_by, concerns: Some(request.concerns()) }.into())
    }

    fn refuse(&self, reason: Option<&String>, facts: &Facts) -> Result<ElevationEvent, ElevationError> {
        let request = self.of_another(facts.actor)?;
        let elevation_id = request.leaving_by(status::REFUSE, facts.now)?;
        let (requested_by, concerns, reason) = (request.requested_by, request.concerns(), sealed(reason)?);
        Ok(ElevationRefused { elevation_id, requested_by, refused_by: facts.actor, concerns, reason }.into())
    }

    fn start(&self, facts: &Facts) -> Result<ElevationEvent, ElevationError> {
        let request = self.own(facts.actor)?;
        let elevation_id = request.leaving_by(status::START, facts.now)?;
        let expires_at = facts.now + TimeDelta::seconds(i64::from(request.duration_seconds));
        Ok(ElevationStarted { elevation_id, expires_at, concerns: Some(request.concerns()) }.into())
    }

    fn end(&self, supervising: bool, facts: &Facts) -> Result<ElevationEvent, ElevationError> {
        let request = if supervising { self.known()? } else { self.own(facts.actor)? };
        let elevation_id = request.leaving_by(status::END, facts.now)?;
        Ok(ElevationEnded { elevation_id, ended_by: facts.actor, concerns: Some(request.concerns()) }.into())
    }

    fn review(&self, note: Option<&String>, facts: &Facts) -> Result<ElevationEvent, ElevationError> {
        let request = self.of_another(facts.actor)?;
        let elevation_id = request.leaving_by(status::REVIEW, facts.now)?;
        let (requested_by, concerns, note) = (request.requested_by, request.concerns(), sealed(note)?);
        Ok(ElevationReviewed { elevation_id, requested_by, reviewed_by: facts.actor, concerns, note }.into())
    }

    /// That its time was over, where that is not recorded yet.
    fn expired(&self, now: DateTime<Utc>) -> Option<ElevationEvent> {
        let request = self.0.as_ref()?;
        let (elevation_id, concerns) = (request.elevation_id, Some(request.concerns()));
        (request.status_at(now) != request.status).then(|| ElevationExpired { elevation_id, concerns }.into())
    }
}

impl Request {
    /// Of whom it speaks what is written about it.
    fn concerns(&self) -> UserId {
        self.scope.concerns(self.requested_by)
    }

    fn status_at(&self, now: DateTime<Utc>) -> ElevationStatus {
        let over = status::EXPIRE.leads_from(self.status) && self.due_at.is_some_and(|due| due <= now);
        if over { status::EXPIRE.to } else { self.status }
    }

    /// Its id, where `transition` leads from where it stands.
    fn leaving_by(&self, transition: Transition<ElevationStatus>, now: DateTime<Utc>) -> Result<ElevationId, ElevationError> {
        let from = self.status_at(now);
        if transition.leads_from(from) {
            Ok(self.elevation_id)
        } else {
            Err(ElevationError::TransitionForbidden { from, to: transition.to })
        }
    }
}

impl Aggregate for Elevation {
    const TYPE: &'static str = "elevation";
    const SHAPE: u16 = 1;

    type Command = ElevationCommand;
    type Event = ElevationEvent;
    type Error = ElevationError;

    fn decide(&self, command: &ElevationCommand, facts: &Facts) -> Result<Vec<ElevationEvent>, ElevationError> {
        let decided = match command {
            ElevationCommand::Request(command) => self.ask(command, facts.actor)?,
            ElevationCommand::Approve => self.approve(facts)?,
            ElevationCommand::Refuse { reason } => self.refuse(reason.as_ref(), facts)?,
            ElevationCommand::Withdraw => {
                let request = self.own(facts.actor)?;
                let elevation_id = request.leaving_by(status::WITHDRAW, facts.now)?;
                ElevationWithdrawn { elevation_id, concerns: Some(request.concerns()) }.into()
            }
            ElevationCommand::Start => self.start(facts)?,
            ElevationCommand::End { supervising } => self.end(*supervising, facts)?,
            ElevationCommand::Review { note } => self.review(note.as_ref(), facts)?,
            ElevationCommand::Expire => return Ok(self.expired(facts.now).into_iter().collect()),
        };
        Ok(self.expired(facts.now).into_iter().chain([decided]).collect())
    }

    fn evolve(&mut self, event: &ElevationEvent) {
        if let ElevationEvent::ElevationRequested(requested) = event {
            self.0 = Some(Request {
                elevation_id: requested.elevation_id,
                requested_by: requested.requested_by,
                scope: requested.scope,
                roles: requested.roles.clone(),
                duration_seconds: requested.duration_seconds,
                status: ElevationStatus::Requested,
                due_at: None,
            });
        }
        let Some(request) = &mut self.0 else { return };
        request.status = event.status();
        request.due_at = event.due_at();
    }
}

fn sealed(text: Option<&String>) -> Result<Option<Personal<String>>, ElevationError> {
    match text {
        Some(text) if !is_prose(text) => Err(ElevationError::ReasonInvalid),
        text => Ok(text.cloned().map(Personal::Clear)),
    }
}
