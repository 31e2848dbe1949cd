//! The rules of legal holds.

use super::{
    HoldScope, LegalHoldExtended, LegalHoldPlaced, LegalHoldReleased, LegalHoldsCommand, LegalHoldsError, LegalHoldsEvent, PlaceHold, Span,
};
use crate::{
    compliance::deletion_request::DeletionSubject,
    kernel::{Aggregate, Facts, LegalHoldId, Personal, UserId, text::is_prose},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// People of one hold; more of them are everybody, or another hold.
pub const SUBJECTS_MAX: usize = 1000;

/// One hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub scope: HoldScope,
    pub placed_by: UserId,
    pub released: bool,
}

impl Hold {
    /// Whether it is on this subject, of whom something is recorded over `footprint`. Where that is not
    /// known, it is.
    fn is_on(&self, subject: DeletionSubject, footprint: Option<&Span>) -> bool {
        let meets = || match (&self.scope.span, footprint) {
            (Some(span), Some(footprint)) => span.meets(footprint),
            _ => true,
        };
        !self.released
            && match subject {
                // An organization does not go while anybody in it has to stay.
                DeletionSubject::Organization(_) => true,
                // Whoever is named is meant, whatever is known of when something of theirs was.
                DeletionSubject::User(user) if self.scope.subjects.contains(&user) => true,
                DeletionSubject::User(_) => self.scope.subjects.is_empty() && meets(),
            }
    }
}

/// The legal holds of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegalHolds(BTreeMap<LegalHoldId, Hold>);

impl LegalHolds {
    /// One of them.
    pub fn hold(&self, hold: LegalHoldId) -> Option<&Hold> {
        self.0.get(&hold)
    }

    /// The holds that are on a subject, of whom something is recorded over `footprint`.
    pub fn on(&self, subject: DeletionSubject, footprint: Option<&Span>) -> Vec<LegalHoldId> {
        self.0.iter().filter(|(_, hold)| hold.is_on(subject, footprint)).map(|(id, _)| *id).collect()
    }

    fn known(&self, hold: LegalHoldId) -> Result<&Hold, LegalHoldsError> {
        let found = self.0.get(&hold).ok_or(LegalHoldsError::NotFound)?;
        if found.released { Err(LegalHoldsError::Released) } else { Ok(found) }
    }

    fn place(&self, place: &PlaceHold, actor: UserId) -> Result<LegalHoldsEvent, LegalHoldsError> {
        let PlaceHold { hold_id, scope, matter } = place;
        if self.0.contains_key(hold_id) {
            return Err(LegalHoldsError::AlreadyPlaced);
        }
        check(scope)?;
        if !is_prose(matter) {
            return Err(LegalHoldsError::MatterInvalid);
        }
        let matter = Personal::Clear(matter.clone());
        Ok(LegalHoldPlaced { hold_id: *hold_id, scope: scope.clone(), placed_by: actor, matter }.into())
    }

    /// What is named is added; what was open stays open.
    fn extend(&self, hold_id: LegalHoldId, more: &HoldScope, actor: UserId) -> Result<Option<LegalHoldsEvent>, LegalHoldsError> {
        let before = &self.known(hold_id)?.scope;
        let everybody = before.subjects.is_empty() || more.subjects.is_empty();
        let subjects = if everybody { Default::default() } else { before.subjects.union(&more.subjects).copied().collect() };
        let span = before.span.zip(more.span).map(|(one, two)| one.with(&two));
        let scope = HoldScope { subjects, span };
        check(more)?;
        check(&scope)?;
        Ok((scope != *before).then(|| LegalHoldExtended { hold_id, scope, extended_by: actor }.into()))
    }

    fn release(&self, hold_id: LegalHoldId, actor: UserId) -> Result<LegalHoldsEvent, LegalHoldsError> {
        if self.known(hold_id)?.scope.subjects.contains(&actor) {
            return Err(LegalHoldsError::HeldThemselves);
        }
        Ok(LegalHoldReleased { hold_id, released_by: actor }.into())
    }
}

fn check(scope: &HoldScope) -> Result<(), LegalHoldsError> {
    if scope.subjects.len() > SUBJECTS_MAX {
        return Err(LegalHoldsError::SubjectsInvalid);
    }
    let ordered = |span: &Span| span.from.zip(span.until).is_none_or(|(from, until)| from <= until);
    if scope.span.as_ref().is_some_and(|span| !ordered(span)) { Err(LegalHoldsError::SpanInvalid) } else { Ok(()) }
}

impl Aggregate for LegalHolds {
    const TYPE: &'static str = "legal_holds";
    const SHAPE: u16 = 1;

    type Command = LegalHoldsCommand;
    type Event = LegalHoldsEvent;
    type Error = LegalHoldsError;

    fn decide(&self, command: &LegalHoldsCommand, facts: &Facts) -> Result<Vec<LegalHoldsEvent>, LegalHoldsError> {
        Ok(match command {
            LegalHoldsCommand::Place(place) => vec![self.place(place, facts.actor)?],
            LegalHoldsCommand::Extend { hold_id, scope } => self.extend(*hold_id, scope, facts.actor)?.into_iter().collect(),
            LegalHoldsCommand::Release(hold) => vec![self.release(*hold, facts.actor)?],
        })
    }

    fn evolve(&mut self, event: &LegalHoldsEvent) {
        match event {
            LegalHoldsEvent::LegalHoldPlaced(placed) => {
                self.0.insert(placed.hold_id, Hold { scope: placed.scope.clone(), placed_by: placed.placed_by, released: false });
            }
            LegalHoldsEvent::LegalHoldExtended(extended) => {
                if let Some(hold) = self.0.get_mut(&extended.hold_id) {
                    hold.scope = extended.scope.clone();
                }
            }
            LegalHoldsEvent::LegalHoldReleased(released) => {
                if let Some(hold) = self.0.get_mut(&released.hold_id) {
                    hold.released = true;
                }
            }
        }
    }
}
