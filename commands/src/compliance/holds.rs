//! Legal holds: placed, extended, released.

use super::holds_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    compliance::legal_holds::{self, HoldScope, LegalHolds, LegalHoldsCommand, LegalHoldsError, SUBJECTS_MAX, Span},
    identity::{Role, user::User},
    kernel::{Admission, Code, FieldError, LegalHoldId, UserId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    PlaceLegalHold => permit "compliance.legal_hold.place", throttle Write;
    ExtendLegalHold => permit "compliance.legal_hold.extend", throttle Write;
    ReleaseLegalHold => permit "compliance.legal_hold.release", throttle Write;
}

/// Puts people under a legal hold, or everybody where none is named: nothing of theirs is destroyed.
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

/// Whom a request names: nobody, where it names more than a hold can be on, which is refused as it is.
fn named(admission: &Admission, subjects: &[UserId]) -> Vec<StreamRef> {
    let named: BTreeSet<_> = subjects.iter().copied().collect();
    let few = named.len() <= SUBJECTS_MAX;
    named.into_iter().filter(|_| few).map(|user| StreamRef::of::<User>(admission.organization, user)).collect()
}

/// A hold on nobody keeps nothing, and whoever placed it believes that it does.
fn check_there(unit: &mut Unit<'_>, subjects: &[UserId]) -> Result<(), Refused> {
    let mut missing = Vec::new();
    for (index, user) in subjects.iter().enumerate() {
        if unit.state::<User>(*user)?.profile().is_none() {
            missing.push(FieldError::new(format!("subjects[{index}]"), "compliance.legal_hold_subject_unknown"));
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Refused { errors: missing, ..Refused::field("subjects", "compliance.legal_hold_subject_unknown") }),
    }
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
        check_there(unit, &self.subjects)?;
        Ok(Answer::new("id", hold_id, "PLACED"))
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
        check_there(unit, &self.subjects)?;
        Ok(Answer::new("id", self.hold_id, "EXTENDED"))
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
        let rights = &unit.admission().rights;
        if !(rights.reach_everywhere() || rights.roles().any(|role| role == Role::ComplianceOfficer.into())) {
            let denied = Refused::new(Code::AccessDenied, "compliance.legal_hold_not_yours", "a compliance officer releases a hold");
            return Err(Refused { attempt: true, ..denied });
        }
        run(unit, &LegalHoldsCommand::Release(self.hold_id))?;
        Ok(Answer::new("id", self.hold_id, "RELEASED"))
    }
}
