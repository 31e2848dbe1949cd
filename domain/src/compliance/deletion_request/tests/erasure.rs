//! What is destroyed, in which order, and when the rest is.

use super::*;

#[test]
fn steps_of_an_erasure_come_in_their_order_and_once() {
    let mut events = [history(DeletionStatus::SoftDeleted), vec![begun(1)]].concat();
    for (index, step) in ErasureStep::ALL.into_iter().enumerate() {
        for later in ErasureStep::ALL.into_iter().skip(index + 1) {
            let skipped = when(&events, ADMIN, 61, DeletionCommand::RecordStep { step: later, count: 0 });
            assert_eq!(skipped, Err(DeletionError::StepOutOfOrder), "{later:?} before {step:?}");
        }
        assert_eq!(when(&events, ADMIN, 61, certify(Vec::new(), day(100))), Err(DeletionError::StepOutOfOrder));
        let done = when(&events, ADMIN, 61, DeletionCommand::RecordStep { step, count: 1 }).unwrap();
        assert_eq!(done.first(), Some(&step_done(1, step)));
        assert_eq!(done.len() == 2, step == ErasureStep::KeysDestroyed, "read models are told once: {done:?}");
        events.extend(done);
        assert_eq!(when(&events, ADMIN, 61, DeletionCommand::RecordStep { step, count: 1 }), Ok(Vec::new()), "{step:?} again");
    }
    let certified = when(&events, ADMIN, 61, certify(Vec::new(), day(100)));
    assert_eq!(certified, Ok(vec![anonymised(), counting()]));
    let nothing_begun = DeletionCommand::RecordStep { step: ErasureStep::KeysDestroyed, count: 0 };
    assert_eq!(when(&history(DeletionStatus::SoftDeleted), ADMIN, 61, nothing_begun), Err(DeletionError::StepOutOfOrder));
}

/// covers: E-163
#[test]
fn a_purge_has_its_four_conditions_on_record_and_waits_for_the_last() {
    let again = [history(DeletionStatus::RetentionCountdown), all_steps(2)].concat();
    assert_eq!(when(&again, ADMIN, 1000, certify(Vec::new(), day(100))), Ok(vec![purged()]));
    let reward = Retained { purpose: Purpose::Reward, until: day(2000) };
    for (retained, backups_until, due_at) in [(vec![reward], day(100), day(2000)), (Vec::new(), day(1001), day(1001))] {
        let certificate = "signed".to_owned();
        let rescheduled = RetentionRescheduled { request_id: id(), retained: retained.clone(), backups_until, due_at };
        let kept = when(&again, ADMIN, 1000, certify(retained, backups_until));
        assert_eq!(kept, Ok(vec![ErasureCertified { request_id: id(), certificate }.into(), rescheduled.into()]));
    }
}

#[test]
fn another_schedule_moves_the_dates_of_what_is_kept() {
    let retained = vec![Retained { purpose: Purpose::Reward, until: day(500) }];
    let reschedule = DeletionCommand::Reschedule { retained: retained.clone(), backups_until: day(90) };
    let counting = history(DeletionStatus::RetentionCountdown);
    let moved: DeletionEvent = RetentionRescheduled { request_id: id(), retained, backups_until: day(90), due_at: day(500) }.into();
    assert_eq!(when(&counting, ADMIN, 70, reschedule.clone()), Ok(vec![moved.clone()]));
    assert_eq!(when(&[counting, vec![moved]].concat(), ADMIN, 70, reschedule.clone()), Ok(Vec::new()));
    assert_eq!(when(&history(DeletionStatus::Grace), ADMIN, 20, reschedule), Ok(Vec::new()));
}
