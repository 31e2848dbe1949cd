//! The rules of a review.

use super::{
    AccessAttested, AccessReviewClosed, AccessReviewCommand, AccessReviewError, AccessReviewEvent, AccessReviewOpened, AccessReviewOverdue,
    AccessTaken, KeyAccessAttested, KeyAccessTaken, OpenAccessReview, ReviewDecision, ReviewItem, Reviewed,
};
use crate::kernel::{AccessReviewId, Aggregate, Facts, calendar::months_later};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Roles of users, or keys, in one review: they stand in one event.
pub const ITEMS_MAX: usize = 1_000;
/// Nobody is reminded of what is due later: that is a typing error.
pub const DUE_MAX_MONTHS_AHEAD: u32 = 12;

/// A review that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub review_id: AccessReviewId,
    pub due_at: DateTime<Utc>,
    pub closed: bool,
    /// Whether it is recorded that it is overdue.
    marked_overdue: bool,
    /// What it is about, and what was decided.
    items: Vec<(ReviewItem, Option<ReviewDecision>)>,
}

impl Review {
    pub fn items(&self) -> impl Iterator<Item = (ReviewItem, Option<ReviewDecision>)> {
        self.items.iter().copied()
    }

    fn undecided(&self) -> usize {
        self.items().filter(|(_, decision)| decision.is_none()).count()
    }
}

/// One review: nothing, until it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessReview(Option<Review>);

impl AccessReview {
    pub fn review(&self) -> Option<&Review> {
        self.0.as_ref()
    }

    fn open(&self, command: &OpenAccessReview, facts: &Facts) -> Result<AccessReviewEvent, AccessReviewError> {
        if self.0.is_some() {
            return Err(AccessReviewError::AlreadyOpen);
        }
        if !(1..=ITEMS_MAX).contains(&command.items.len()) {
            return Err(AccessReviewError::ItemCountInvalid);
        }
        if command.due_at <= facts.now {
            return Err(AccessReviewError::DueInvalid);
        }
        if command.due_at > months_later(facts.now, DUE_MAX_MONTHS_AHEAD) {
            return Err(AccessReviewError::DueTooLate);
        }
        let OpenAccessReview { review_id, ref items, due_at } = *command;
        Ok(AccessReviewOpened { review_id, items: items.iter().copied().collect(), due_at, opened_by: facts.actor }.into())
    }

    /// The review, while it is open.
    fn current(&self) -> Result<&Review, AccessReviewError> {
        match &self.0 {
            None => Err(AccessReviewError::NotFound),
            Some(review) if review.closed => Err(AccessReviewError::Closed),
            Some(review) => Ok(review),
        }
    }

    /// The review in which somebody may decide about this.
    fn deciding(&self, reviewed: Reviewed, facts: &Facts) -> Result<AccessReviewId, AccessReviewError> {
        let review = self.current()?;
        match (review.items().find(|(item, _)| item.subject() == reviewed), reviewed) {
            (None, Reviewed::Role { .. }) => Err(AccessReviewError::ItemNotFound),
            (None, Reviewed::Key(_)) => Err(AccessReviewError::KeyNotFound),
            (Some((item, _)), _) if item.holder() == facts.actor => Err(AccessReviewError::OwnAccess),
            (Some((_, Some(_))), _) => Err(AccessReviewError::AlreadyDecided),
            (Some((_, None)), _) => Ok(review.review_id),
        }
    }

    /// That it is overdue, where that is not recorded yet.
    fn overdue(&self, now: DateTime<Utc>) -> Option<AccessReviewEvent> {
        let review = self.0.as_ref().filter(|review| !review.closed && !review.marked_overdue && review.due_at <= now)?;
        let undecided = u32::try_from(review.undecided()).unwrap_or(u32::MAX);
        let Review { review_id, due_at, .. } = *review;
        (undecided > 0).then(|| AccessReviewOverdue { review_id, due_at, undecided }.into())
    }

    fn decided(&mut self, reviewed: Reviewed, decision: ReviewDecision) {
        let items = self.0.iter_mut().flat_map(|review| &mut review.items);
        for (_, decided) in items.filter(|(item, _)| item.subject() == reviewed) {
            *decided = Some(decision);
        }
    }
}

impl Aggregate for AccessReview {
    const TYPE: &'static str = "access_review";
    const SHAPE: u16 = 3;

    type Command = AccessReviewCommand;
    type Event = AccessReviewEvent;
    type Error = AccessReviewError;

    fn decide(&self, command: &AccessReviewCommand, facts: &Facts) -> Result<Vec<AccessReviewEvent>, AccessReviewError> {
        Ok(vec![match command {
            AccessReviewCommand::Open(command) => self.open(command, facts)?,
            AccessReviewCommand::Attest { reviewed, held } => {
                let (review_id, attested_by) = (self.deciding(*reviewed, facts)?, facts.actor);
                if !held {
                    return Err(AccessReviewError::NotHeld);
                }
                match *reviewed {
                    Reviewed::Role { user_id, role } => AccessAttested { review_id, user_id, role, attested_by }.into(),
                    Reviewed::Key(key_id) => KeyAccessAttested { review_id, key_id, attested_by }.into(),
                }
            }
            AccessReviewCommand::Revoke(reviewed) => {
                let (review_id, revoked_by) = (self.deciding(*reviewed, facts)?, facts.actor);
                match *reviewed {
                    Reviewed::Role { user_id, role } => AccessTaken { review_id, user_id, role, revoked_by }.into(),
                    Reviewed::Key(key_id) => KeyAccessTaken { review_id, key_id, revoked_by }.into(),
                }
            }
            AccessReviewCommand::Close => {
                let review = self.current()?;
                let undecided = u32::try_from(review.undecided()).unwrap_or(u32::MAX);
                AccessReviewClosed { review_id: review.review_id, undecided, closed_by: facts.actor }.into()
            }
            AccessReviewCommand::MarkOverdue => return Ok(self.overdue(facts.now).into_iter().collect()),
        }])
    }

    fn evolve(&mut self, event: &AccessReviewEvent) {
        match event {
            AccessReviewEvent::AccessReviewOpened(opened) => {
                let items = opened.items.iter().map(|item| (*item, None)).collect();
                let (review_id, due_at) = (opened.review_id, opened.due_at);
                self.0 = Some(Review { review_id, due_at, closed: false, marked_overdue: false, items });
            }
            AccessReviewEvent::AccessAttested(AccessAttested { user_id, role, .. }) => {
                self.decided(Reviewed::Role { user_id: *user_id, role: *role }, ReviewDecision::Attested);
            }
            AccessReviewEvent::AccessTaken(AccessTaken { user_id, role, .. }) => {
                self.decided(Reviewed::Role { user_id: *user_id, role: *role }, ReviewDecision::Revoked);
            }
            AccessReviewEvent::KeyAccessAttested(attested) => self.decided(Reviewed::Key(attested.key_id), ReviewDecision::Attested),
            AccessReviewEvent::KeyAccessTaken(taken) => self.decided(Reviewed::Key(taken.key_id), ReviewDecision::Revoked),
            AccessReviewEvent::AccessReviewClosed(_) => {
                if let Some(review) = &mut self.0 {
                    review.closed = true;
                }
            }
            AccessReviewEvent::AccessReviewOverdue(_) => {
                if let Some(review) = &mut self.0 {
                    review.marked_overdue = true;
                }
            }
        }
    }
}
