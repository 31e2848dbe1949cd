//! Given what was done, when a step is done or fails, then what comes next.

use super::{ProvisioningCommand::*, ProvisioningError::*, ProvisioningFault::KeyStore, ProvisioningStep as Step, *};
use crate::kernel::{Aggregate, Facts, OrganizationId, UserId};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(7));

fn when(state: &Provisioning, command: ProvisioningCommand) -> Result<Vec<ProvisioningEvent>, ProvisioningError> {
    state.decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

fn then(state: &mut Provisioning, command: ProvisioningCommand) -> Vec<ProvisioningEvent> {
    let events = when(state, command).unwrap();
    events.iter().for_each(|event| state.evolve(event));
    events
}

fn begun() -> Provisioning {
    let mut state = Provisioning::default();
    assert_eq!(then(&mut state, Begin(ACME)), [ProvisioningBegun { organization_id: ACME }.into()]);
    state
}

fn fail(step: Step, attempt: u32) -> ProvisioningCommand {
    FailStep { step, attempt, fault: KeyStore }
}

// covers: H-97
#[test]
fn the_steps_are_done_in_their_order_and_then_it_is_complete() {
    let mut state = begun();
    for step in Step::ALL {
        assert_eq!(state.next(), Some((step, 1)));
        for other in Step::ALL.into_iter().filter(|other| *other != step) {
            assert_eq!(when(&state, CompleteStep(other)), Err(NotThisStep), "{other:?} instead of {step:?}");
            assert_eq!(when(&state, fail(other, 1)), Err(NotThisStep), "{other:?} instead of {step:?}");
        }
        let events = then(&mut state, CompleteStep(step));
        assert_eq!(events.len(), if step == Step::PointsProgram { 2 } else { 1 });
    }
    assert_eq!((state.status(), state.next()), (Some(ProvisioningStatus::Complete), None));
    assert_eq!(when(&state, CompleteStep(Step::PointsProgram)), Err(NotThisStep));
    assert_eq!(when(&state, Retry), Err(NotGivenUp));
}

// covers: H-97, E-126
#[test]
fn a_step_that_fails_is_tried_again_after_longer_and_longer_and_is_then_given_up() {
    let mut state = begun();
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(when(&state, fail(Step::Keys, attempt + 1)), Err(AttemptStale));
        let events = then(&mut state, fail(Step::Keys, attempt));
        let retry_at =
            (attempt < ATTEMPTS_MAX).then(|| DateTime::UNIX_EPOCH + TimeDelta::seconds([10, 20, 40, 80, 160][attempt as usize - 1]));
        let failed = ProvisioningStepFailed { organization_id: ACME, step: Step::Keys, fault: KeyStore, attempt, retry_at };
        assert_eq!(events[0], failed.into());
        assert_eq!(events.len(), if attempt == ATTEMPTS_MAX { 2 } else { 1 });
    }
    assert_eq!((state.status(), state.next()), (Some(ProvisioningStatus::GivenUp), None));
    assert_eq!(when(&state, fail(Step::Keys, ATTEMPTS_MAX + 1)), Err(NotThisStep));
    assert_eq!(when(&state, CompleteStep(Step::Keys)), Err(NotThisStep), "before somebody asked for it");

    assert_eq!(then(&mut state, Retry), [ProvisioningRetried { organization_id: ACME }.into()]);
    assert_eq!(state.next(), Some((Step::Keys, 1)));
    assert_eq!(when(&state, Retry), Err(NotGivenUp));
}

#[test]
fn failures_of_one_step_are_not_counted_for_the_next() {
    let mut state = begun();
    then(&mut state, fail(Step::Keys, 1));
    assert_eq!(state.next(), Some((Step::Keys, 2)));
    then(&mut state, CompleteStep(Step::Keys));
    assert_eq!(state.next(), Some((Step::PolicyStore, 1)));
}

#[test]
fn what_was_not_begun_has_no_steps_and_begins_once() {
    let nothing = Provisioning::default();
    for command in [CompleteStep(Step::Keys), fail(Step::Keys, 1), Retry] {
        assert_eq!(when(&nothing, command), Err(NotFound));
    }
    assert_eq!(when(&begun(), Begin(ACME)), Err(BegunAlready));
}
