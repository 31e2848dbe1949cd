//! Legal holds: placed, extended, released.

use super::{holds_stream, looks_after_compliance, request_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    compliance::{
        deletion_request::DeletionRequest,
        legal_holds::{self, HoldScope, LegalHolds, LegalHoldsCommand, LegalHoldsError, SUBJECTS_MAX, Span},
    },
    identity::user::User,
    kernel::{Admission, Code, DeletionRequestId, FieldError, LegalHoldId, UserId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    PlaceLegalHold => permit "compliance.legal_hold.place", throttle Write;
    ExtendLegalHold => permit "compliance.legal_hold.extend", throttle Write;
    ReleaseLegalHold => permit "compliance.legal_hold.release", throttle Write;
}

const SUBJECT_UNKNOWN: &str = "compliance.legal_hold_subject_unknown";
const SUBJECT_ERASED: &str = "compliance.legal_hold_subject_erased";

/// Puts people under a legal hold, or everybody where none is named: nothing of theirs is destroyed. Of somebody who
/// was erased but for what a retention keeps, it keeps that; `erased_in_part` names them. Of whom nothing is left,
/// there is nothing to hold, and naming them is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceLegalHold {
    /// At most 1000; everybody where there is none.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub subjects: Vec<UserId>,
    /// Whoever has something recorded in it, in the past too; at any time where it is missing.
    pub span: Option<Span>,
    /// The matter for which it is kept.
    #[schema(min_length = 1, max_length = 500)]
    pub matter: String,
}

impl PlaceLegalHold {
    fn id(admission: &Admission) -> LegalHoldId {
        LegalHoldId(new_id(admission, "legal-hold"))
    }
}

fn scope(subjects: &[UserId], span: Option<Span>) -> HoldScope {
    HoldScope { subjects: subjects.iter().copied().collect::<BTreeSet<_>>(), span }
}

/// Whom a request names, and how far their erasure is: nobody, where it names more than a hold can be on, which is
/// refused as it is.
fn named(admission: &Admission, subjects: &[UserId]) -> Vec<StreamRef> {
    let named: BTreeSet<_> = subjects.iter().copied().collect();
    let few = named.len() <= SUBJECTS_MAX;
    let of = |user: UserId| {
        let erasure = request_stream(admission, DeletionRequestId::of(user));
        [StreamRef::of::<User>(admission.organization, user), erasure]
    };
    named.into_iter().filter(|_| few).flat_map(of).collect()
}

/// A hold on nobody keeps nothing, and whoever placed it believes that it does: neither does one on somebody of whom
/// nothing is left. Answers those of whom a part is left only.
fn check_there(unit: &mut Unit<'_>, subjects: &[UserId]) -> Result<Vec<UserId>, Refused> {
    let (mut amiss, mut erased_in_part) = (Vec::new(), Vec::new());
    for (index, user) in subjects.iter().enumerate() {
        let known = unit.state::<User>(*user)?.profile().is_some();
        let erasure = unit.state::<DeletionRequest>(DeletionRequestId::of(*user))?.dossier();
        let reason = match erasure.filter(|erasure| erasure.is_erased()) {
            _ if !known => SUBJECT_UNKNOWN,
            Some(erasure) if erasure.is_erased_whole() => SUBJECT_ERASED,
            Some(_) => {
                erased_in_part.push(*user);
                continue;
            }
            None => continue,
        };
        amiss.push((index, reason));
    }
    let Some((_, first)) = amiss.first() else { return Ok(erased_in_part) };
    let refused = Refused::field("subjects", first);
    let errors = amiss.iter().map(|(index, reason)| FieldError::new(format!("subjects[{index}]"), *reason)).collect();
    Err(Refused { errors, ..refused })
}

/// The answer names those of whom the hold keeps no more than what a retention has left.
fn answer(hold_id: LegalHoldId, status: &str, erased_in_part: &[UserId]) -> Answer {
    let answer = Answer::new("id", hold_id, status);
    if erased_in_part.is_empty() {
        return answer;
    }
    let ids: Vec<_> = erased_in_part.iter().map(ToString::to_string).collect();
    answer.with("erased_in_part", ids)
}

fn run(unit: &mut Unit<'_>, command: &LegalHoldsCommand) -> Result<(), Refused> {
    let organization = unit.organization();
    unit.run::<LegalHolds>(organization, command).map(drop)
}

impl Operation for PlaceLegalHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        named(admission, &self.subjects)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let hold_id = Self::id(unit.admission());
        let place = legal_holds::PlaceHold { hold_id, scope: scope(&self.subjects, self.span), matter: self.matter.clone() };
        run(unit, &LegalHoldsCommand::Place(place))?;
        let erased_in_part = check_there(unit, &self.subjects)?;
        Ok(answer(hold_id, "PLACED", &erased_in_part))
    }
}

/// Puts more under a hold; nothing is taken out of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendLegalHold {
    pub hold_id: LegalHoldId,
    /// Everybody where there is none.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub subjects: Vec<UserId>,
    /// At any time where it is missing.
    pub span: Option<Span>,
}

impl Operation for ExtendLegalHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        named(admission, &self.subjects)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, &LegalHoldsCommand::Extend { hold_id: self.hold_id, scope: scope(&self.subjects, self.span) })?;
        let erased_in_part = check_there(unit, &self.subjects)?;
        Ok(answer(self.hold_id, "EXTENDED", &erased_in_part))
    }
}

/// Ends a hold. Whoever administers an organization does not lift what the law keeps in it: that is its
/// compliance officers' and the platform's (E-47).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseLegalHold {
    pub hold_id: LegalHoldId,
}

impl Operation for ReleaseLegalHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![holds_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let organization = unit.organization();
        unit.state::<LegalHolds>(organization)?.hold(self.hold_id).ok_or(LegalHoldsError::NotFound)?;
        if !looks_after_compliance(unit) {
            let denied = Refused::new(Code::AccessDenied, "compliance.legal_hold_not_yours", "a compliance officer releases a hold");
            return Err(Refused { attempt: true, ..denied });
        }
        run(unit, &LegalHoldsCommand::Release(self.hold_id))?;
        Ok(Answer::new("id", self.hold_id, "RELEASED"))
    }
}
