//! The rules of a review.

use super::{
    AccessAttested, AccessReviewClosed, AccessReviewCommand, AccessReviewError, AccessReviewEvent, AccessReviewOpened, AccessTaken,
    OpenAccessReview, ReviewDecision, ReviewItem,
};
use crate::{
    identity::RoleRef,
    kernel::{AccessReviewId, Aggregate, Facts, UserId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Roles of users in one review: they stand in one event.
pub const ITEMS_MAX: usize = 1_000;

/// A review that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub review_id: AccessReviewId,
    pub due_at: DateTime<Utc>,
    pub closed: bool,
    /// By user and role, what was decided.
    items: BTreeMap<UserId, BTreeMap<RoleRef, Option<ReviewDecision>>>,
}

impl Review {
    pub fn items(&self) -> impl Iterator<Item = (ReviewItem, Option<ReviewDecision>)> {
        let of_user = |(user_id, roles): (&UserId, &BTreeMap<RoleRef, Option<ReviewDecision>>)| {
            let user_id = *user_id;
            roles.iter().map(move |(role, decision)| (ReviewItem { user_id, role: *role }, *decision)).collect::<Vec<_>>()
        };
        self.items.iter().flat_map(of_user)
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
    fn deciding(&self, item: ReviewItem, facts: &Facts) -> Result<AccessReviewId, AccessReviewError> {
        let review = self.current()?;
        match review.items.get(&item.user_id).and_then(|roles| roles.get(&item.role)) {
            None => Err(AccessReviewError::ItemNotFound),
            Some(_) if item.user_id == facts.actor => Err(AccessReviewError::OwnAccess),
            Some(Some(_)) => Err(AccessReviewError::AlreadyDecided),
            Some(None) => Ok(review.review_id),
        }
    }

    fn decided(&mut self, user: UserId, role: RoleRef, decision: ReviewDecision) {
        let roles = self.0.as_mut().and_then(|review| review.items.get_mut(&user));
        if let Some(item) = roles.and_then(|roles| roles.get_mut(&role)) {
            *item = Some(decision);
        }
    }
}

impl Aggregate for AccessReview {
    const TYPE: &'static str = "access_review";
    const SHAPE: u16 = 1;

    type Command = AccessReviewCommand;
    type Event = AccessReviewEvent;
    type Error = AccessReviewError;

    fn decide(&self, command: &AccessReviewCommand, facts: &Facts) -> Result<Vec<AccessReviewEvent>, AccessReviewError> {
        Ok(vec![match command {
            AccessReviewCommand::Open(command) => self.open(command, facts)?,
            AccessReviewCommand::Attest(item) => {
                let (review_id, ReviewItem { user_id, role }) = (self.deciding(*item, facts)?, *item);
                AccessAttested { review_id, user_id, role, attested_by: facts.actor }.into()
            }
            AccessReviewCommand::Revoke(item) => {
                let (review_id, ReviewItem { user_id, role }) = (self.deciding(*item, facts)?, *item);
                AccessTaken { review_id, user_id, role, revoked_by: facts.actor }.into()
            }
            AccessReviewCommand::Close => {
                let review = self.current()?;
                let undecided = u32::try_from(review.undecided()).unwrap_or(u32::MAX);
                AccessReviewClosed { review_id: review.review_id, undecided, closed_by: facts.actor }.into()
            }
        }])
    }

    fn evolve(&mut self, event: &AccessReviewEvent) {
        match event {
            AccessReviewEvent::AccessReviewOpened(opened) => {
                let mut items: BTreeMap<UserId, BTreeMap<RoleRef, Option<ReviewDecision>>> = BTreeMap::new();
                for ReviewItem { user_id, role } in &opened.items {
                    items.entry(*user_id).or_default().insert(*role, None);
                }
                self.0 = Some(Review { review_id: opened.review_id, due_at: opened.due_at, closed: false, items });
            }
            AccessReviewEvent::AccessAttested(attested) => self.decided(attested.user_id, attested.role, ReviewDecision::Attested),
            AccessReviewEvent::AccessTaken(taken) => self.decided(taken.user_id, taken.role, ReviewDecision::Revoked),
            AccessReviewEvent::AccessReviewClosed(_) => {
                if let Some(review) = &mut self.0 {
                    review.closed = true;
                }
            }
        }
    }
}
