//! Who asks over whom, and who is told what became of it.

use super::*;

fn submit(actor: UserId, before: &[DeletionEvent], kind: DeletionKind) -> Result<Vec<DeletionEvent>, DeletionError> {
    when(before, actor, 0, DeletionCommand::Submit(ask(kind)))
}

#[test]
fn what_nobody_has_proven_gives_way_to_whoever_else_asks() {
    let by_admin = [submitted_as(DeletionKind::ByAdmin, ADMIN)];
    let own = submit(ALICE, &by_admin, DeletionKind::OwnAccount).unwrap();
    assert_eq!(own, [submitted()]);
    let now = [by_admin.to_vec(), own].concat();
    assert_eq!(given(&now), given(&[submitted()]));
    assert_eq!(when(&now, ADMIN, 0, DeletionCommand::Verify), Err(DeletionError::NotTheRequester));
    assert!(when(&now, ALICE, 0, DeletionCommand::Verify).is_ok());

    // Nobody asks twice, unless by force at last; what was proven stays.
    assert_eq!(submit(ADMIN, &by_admin, DeletionKind::ByAdmin), Err(DeletionError::AlreadyOpen));
    assert_eq!(submit(ADMIN, &by_admin, DeletionKind::Forced), Ok(vec![submitted_as(DeletionKind::Forced, ADMIN)]));
    let forced = [submitted_as(DeletionKind::Forced, ADMIN)];
    assert_eq!(submit(ADMIN, &forced, DeletionKind::Forced), Err(DeletionError::AlreadyOpen));
    let proven = [by_admin.to_vec(), verified()].concat();
    for kind in [DeletionKind::OwnAccount, DeletionKind::Forced] {
        assert_eq!(submit(ALICE, &proven, kind), Err(DeletionError::AlreadyOpen), "{kind:?}");
    }
}

fn explained(told: Option<UserId>, cancelled_by: UserId) -> Vec<DeletionEvent> {
    let reason = Personal::Clear("she called".to_owned());
    let subject = DeletionSubject::User(ALICE);
    let explained = CancellationExplained { request_id: id(), subject, cancelled_by, told, concerns: ALICE, reason };
    vec![DeletionCancelled { request_id: id(), cancelled_by }.into(), explained.into()]
}

#[test]
fn what_somebody_asked_for_themselves_others_take_back_with_a_reason() {
    for status in [DeletionStatus::Submitted, DeletionStatus::InReview, DeletionStatus::Grace] {
        let own = history(status);
        assert_eq!(when(&own, ADMIN, 0, cancel(None)), Err(DeletionError::ReasonMissing), "{status:?}");
        assert_eq!(when(&own, ADMIN, 0, cancel(Some(" "))), Err(DeletionError::ReasonInvalid), "{status:?}");
        assert_eq!(when(&own, ADMIN, 0, cancel(Some("she called"))), Ok(explained(Some(ALICE), ADMIN)), "{status:?}");
        assert_eq!(when(&own, ALICE, 0, cancel(None)).map(|events| events.len()), Ok(1), "{status:?}");
    }
    // What others asked for they take back with a word, or without one.
    let by_admin = [submitted_as(DeletionKind::ByAdmin, ADMIN)];
    assert_eq!(when(&by_admin, OFFICER, 0, cancel(None)).map(|events| events.len()), Ok(1));
    assert_eq!(when(&by_admin, OFFICER, 0, cancel(Some("she called"))), Ok(explained(None, OFFICER)));
    assert!(!format!("{:?}", cancel(Some("she called"))).contains("called"));
}

#[test]
fn who_asked_for_themselves_is_told_that_it_was_refused() {
    let refuse = |asked: DeletionEvent| {
        let events = when(&[vec![asked], verified()].concat(), OFFICER, 0, DeletionCommand::Refuse(RefusalGround::LegalClaims)).unwrap();
        let [DeletionEvent::DeletionRefused(refused)] = events.as_slice() else { panic!("{events:?}") };
        refused.told
    };
    assert_eq!(refuse(submitted()), Some(ALICE));
    assert_eq!(refuse(submitted_as(DeletionKind::ByAdmin, ADMIN)), None);
}
