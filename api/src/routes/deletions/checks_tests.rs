use super::*;
use palmares_domain::{
    compliance::deletion_request::{DeletionStatus, DeletionSubject},
    kernel::{DeletionRequestId, OrganizationId, UserId},
};
use std::collections::BTreeSet;
use uuid::Uuid;

const EXPERT: UserId = UserId(Uuid::from_u128(7));

fn dossier(kind: DeletionKind) -> Dossier {
    Dossier {
        request_id: DeletionRequestId::of(EXPERT),
        subject: DeletionSubject::User(EXPERT),
        kind,
        requested_by: EXPERT,
        status: DeletionStatus::InReview,
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

fn says<'a>(outcome: &'a CheckOutcome, _: &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async { Ok(*outcome) }.boxed_local()
}

fn clear<'a>(_: &'a CheckOutcome, _: &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async { Ok(CheckOutcome::Clear) }.boxed_local()
}

/// What is found where two contexts fill what is to be settled with experts.
fn settled(outcome: CheckOutcome, kind: DeletionKind) -> Vec<CheckOutcome> {
    let of = |look| [DeletionCheck { of: DeletionKind::Expert, check: Check::Settlement, look }];
    #[expect(clippy::disallowed_methods, reason = "a test of a port has no gate")]
    let tenant = Tenant::grant(OrganizationId(Uuid::from_u128(1)));
    let dossier = dossier(kind);
    let (asked, filled) = (Asked { tenant, dossier: &dossier }, [of(clear), of(says)]);
    let filled = filled.each_ref().map(<[_; 1]>::as_slice);
    let found = find(&filled, &outcome, &asked);
    futures::executor::block_on(found).unwrap().iter().map(|checked| checked.outcome).collect()
}

// covers: E-169
#[test]
fn what_a_context_fills_in_blocks_and_what_nobody_fills_in_is_said_to_be_so() {
    let nothing = CheckOutcome::NothingToCheck;
    assert_eq!(settled(CheckOutcome::Open, DeletionKind::Expert), [nothing, CheckOutcome::Open, nothing]);
    assert_eq!(settled(CheckOutcome::Clear, DeletionKind::Expert), [nothing, CheckOutcome::Clear, nothing]);
    assert_eq!(settled(CheckOutcome::Open, DeletionKind::Organization), [nothing; 3]);
    assert_eq!(settled(CheckOutcome::Open, DeletionKind::ByAdmin), []);
}

#[test]
fn every_check_that_is_filled_is_needed() {
    for filling in FILLED.iter().copied().flatten() {
        assert!(needed(filling.of).contains(&filling.check), "{:?} of {:?} is never asked for", filling.check, filling.of);
    }
}
