//! What a hold stops, and what it does not.

use super::*;

/// covers: E-162
#[test]
fn a_hold_stops_every_step_but_those_that_end_it_and_the_deletion_goes_on_where_it_stood() {
    for (from, row) in MATRIX {
        if !row.ends_with('A') {
            continue;
        }
        let stopped = [history(from), vec![held()]].concat();
        for (actor, days, command) in moves() {
            let decided = when(&stopped, actor, days, command.clone());
            match command {
                DeletionCommand::Submit(_) => assert_eq!(decided, Err(DeletionError::AlreadyOpen)),
                DeletionCommand::CheckHold { held: true } | DeletionCommand::Certify(_) => assert_eq!(decided, Ok(Vec::new())),
                DeletionCommand::CheckHold { held: false } => {
                    let due_at = given(&history(from)).dossier().unwrap().due_at;
                    assert_eq!(decided, Ok(vec![lifted(from, due_at)]));
                    let after = given(&[stopped.clone(), decided.unwrap()].concat());
                    assert_eq!(after.dossier(), given(&history(from)).dossier());
                }
                DeletionCommand::Cancel(_) | DeletionCommand::Refuse(_) | DeletionCommand::Restore(_) => {
                    let unheld = when(&history(from), actor, days, command.clone());
                    let forbidden = matches!(unheld, Err(DeletionError::TransitionForbidden { .. }));
                    assert_eq!(decided, if forbidden { Err(DeletionError::OnHold) } else { unheld }, "{from:?} by {command:?}");
                    if let Ok(ended) = decided {
                        let after = given(&[stopped.clone(), ended].concat());
                        assert!(after.dossier().is_some_and(|dossier| dossier.status.is_over() && dossier.before_hold.is_none()));
                    }
                }
                _ => assert_eq!(decided, Err(DeletionError::OnHold), "{from:?} by {command:?}"),
            }
        }
    }
    assert_eq!(DeletionError::OnHold.code(), Code::LegalHold);
}

/// covers: E-162
#[test]
fn a_hold_that_is_seen_when_the_time_has_come_stops_it_too() {
    let end = DeletionCommand::EndGrace { held: true, recovery_days: 30 };
    assert_eq!(when(&history(DeletionStatus::Grace), ADMIN, 30, end), Ok(vec![held()]));
    let begin = DeletionCommand::BeginErasure { held: true, purposes: vec![Purpose::Profile] };
    for status in [DeletionStatus::SoftDeleted, DeletionStatus::RetentionCountdown] {
        assert_eq!(when(&history(status), ADMIN, 1000, begin.clone()), Ok(vec![held()]), "{status:?}");
    }
}

/// covers: E-162
#[test]
fn an_erasure_that_is_ordered_is_held_until_the_keys_are_destroyed_and_goes_on_in_the_same_round() {
    let ordered = [history(DeletionStatus::SoftDeleted), vec![begun(1)]].concat();
    assert_eq!(when(&ordered, ADMIN, 61, DeletionCommand::CheckHold { held: true }), Ok(vec![held()]));
    let stopped = [ordered.clone(), vec![held()]].concat();
    assert_eq!(when(&stopped, ADMIN, 61, begin()), Err(DeletionError::OnHold));
    assert_eq!(when(&stopped, ADMIN, 59, restore(Some("she called"))), Err(DeletionError::RecoveryOver), "it was ordered");
    let lifted = when(&stopped, ADMIN, 70, DeletionCommand::CheckHold { held: false }).unwrap();
    assert_eq!(given(&[stopped, lifted].concat()).dossier(), given(&ordered).dossier());
    // One that came in the moment between the destruction and its record is on what is kept.
    let steps = ErasureStep::ALL.map(|step| step_done(1, step));
    let late = [ordered.clone(), vec![held()], steps.to_vec()].concat();
    let certified = when(&late, ADMIN, 61, certify(Vec::new(), day(100)));
    assert_eq!(certified, Ok(vec![anonymised(), counting()]));
    let kept = given(&[late, certified.unwrap()].concat());
    assert_eq!(kept.dossier().map(|dossier| (dossier.status, dossier.before_hold)), Some((DeletionStatus::RetentionCountdown, None)));
    // What is destroyed is not there to be kept.
    let destroyed = [ordered, vec![step_done(1, ErasureStep::KeysDestroyed)]].concat();
    assert_eq!(when(&destroyed, ADMIN, 61, DeletionCommand::CheckHold { held: true }), Ok(Vec::new()));
}
