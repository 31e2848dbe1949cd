//! Deletions under a legal hold.

use super::*;

/// covers: E-162, E-47
#[tokio::test]
async fn a_hold_stops_what_was_approved_and_the_administrator_does_not_lift_it() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = world.in_grace(ada).await;
    let placed = world.ask::<PlaceLegalHold>(OFFICER, json!({ "subjects": [ada], "matter": "case 7" })).await.unwrap();
    let hold: LegalHoldId = placed.answer.0["id"].as_str().unwrap().parse().unwrap();
    world.days(30);
    // Nobody told the deletion of the hold yet: it looks itself.
    assert_eq!(became(&world.end_grace(subject).await), "HELD");
    assert_eq!(refusal(world.approve(OFFICER, subject).await).0, Code::LegalHold);
    let release = || json!({ "hold_id": hold });
    assert_eq!(refusal(world.ask::<ReleaseLegalHold>(world.admin, release()).await).1, "compliance.legal_hold_not_yours");
    world.ask::<ReleaseLegalHold>(OFFICER, release()).await.unwrap();
    let check = || CheckDeletionHold { request_id: DeletionRequestId::of(ada), subject, footprint: None };
    assert_eq!(became(&world.execute(SYSTEM, check()).await.unwrap()), "GRACE");
    assert_eq!(became(&world.end_grace(subject).await), "SOFT_DELETED");

    // One over a span of the past, on somebody of whom nobody knows what is recorded.
    let span = json!({ "matter": "case 8", "span": { "from": "2001-01-01T00:00:00Z", "until": "2001-02-01T00:00:00Z" } });
    world.ask::<PlaceLegalHold>(OFFICER, span).await.unwrap();
    world.days(30);
    let unknown = BeginErasure { request_id: DeletionRequestId::of(ada), subject, footprint: None };
    assert_eq!(became(&world.execute(SYSTEM, unknown).await.unwrap()), "HELD");
    let later = Span { from: Some("2020-01-01T00:00:00Z".parse().unwrap()), until: None };
    let known = CheckDeletionHold { request_id: DeletionRequestId::of(ada), subject, footprint: Some(later) };
    assert_eq!(became(&world.execute(SYSTEM, known).await.unwrap()), "SOFT_DELETED");
}

/// covers: E-162
#[tokio::test]
async fn who_approves_what_a_hold_is_on_is_told_so_at_once() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let (subject, own) = (DeletionSubject::User(ada), As(ada, Role::Member));
    let placed = world.ask::<PlaceLegalHold>(OFFICER, json!({ "subjects": [ada], "matter": "case 7" })).await.unwrap();
    world.ask::<SubmitDeletion>(own, json!({ "user_id": ada })).await.unwrap();
    world.verify(own, subject).await.unwrap();
    let approved = world.approve(OFFICER, subject).await.unwrap();
    assert_eq!((became(&approved), &approved.answer.0["holds"]), ("HELD", &json!([placed.answer.0["id"]])));
    world.ask::<ReleaseLegalHold>(OFFICER, json!({ "hold_id": placed.answer.0["id"] })).await.unwrap();
    let check = CheckDeletionHold { request_id: DeletionRequestId::of(ada), subject, footprint: None };
    assert_eq!(became(&world.execute(SYSTEM, check).await.unwrap()), "GRACE");
    world.days(30);
    assert_eq!(became(&world.end_grace(subject).await), "SOFT_DELETED", "the days of the grace period count on");

    // Whoever may not see holds is told that there is one, and no more.
    let bea = world.user("bea", Role::Member).await;
    let (subject, own) = (DeletionSubject::User(bea), As(bea, Role::Member));
    world.ask::<PlaceLegalHold>(OFFICER, json!({ "subjects": [bea], "matter": "case 8" })).await.unwrap();
    world.ask::<SubmitDeletion>(own, json!({ "user_id": bea })).await.unwrap();
    world.verify(own, subject).await.unwrap();
    let approved = world.approve(As(UserId(Uuid::from_u128(8)), Role::Analyst), subject).await.unwrap();
    assert_eq!((became(&approved), approved.answer.0.get("holds")), ("HELD", None));
}

/// covers: E-162
#[tokio::test]
async fn nobody_is_put_under_a_hold_of_whom_nothing_is_left() {
    let world = World::new().await;
    let (ada, bea) = (world.user("ada", Role::Member).await, world.user("bea", Role::Member).await);
    let subject = world.in_grace(ada).await;
    world.days(30);
    world.end_grace(subject).await;
    world.days(30);
    world.erase(subject).await;
    // What the law keeps of somebody can be held, and the answer says that it is all there is.
    let hold = |subjects: &[UserId]| json!({ "subjects": subjects, "matter": "case 7" });
    let placed = world.ask::<PlaceLegalHold>(OFFICER, hold(&[bea, ada])).await.unwrap();
    assert_eq!(placed.answer.0["erased_in_part"], json!([ada]));
    let placed = json!({ "hold_id": placed.answer.0["id"] });
    world.ask::<ReleaseLegalHold>(OFFICER, placed).await.unwrap();

    world.days(3654);
    world.erase(subject).await;
    assert_eq!(world.request(subject).await.status, DeletionStatus::Purged);
    let refused = world.ask::<PlaceLegalHold>(OFFICER, hold(&[bea, ada])).await.unwrap_err();
    let Rejection::Refused(refused) = refused else { panic!("{refused}") };
    let named: Vec<_> = refused.errors.iter().map(|error| (error.field.as_str(), error.reason.as_str())).collect();
    assert_eq!(named, [("subjects[1]", "compliance.legal_hold_subject_erased")]);
    let placed = world.ask::<PlaceLegalHold>(OFFICER, hold(&[bea])).await.unwrap();
    assert_eq!(placed.answer.0.get("erased_in_part"), None);
    let more = json!({ "hold_id": placed.answer.0["id"], "subjects": [ada] });
    assert!(world.ask::<ExtendLegalHold>(OFFICER, more).await.is_err());
}

/// covers: E-162
#[tokio::test]
async fn whoever_is_held_may_stay_for_good_and_the_release_of_the_hold_changes_nothing_then() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let (subject, own) = (world.in_grace(ada).await, As(ada, Role::Member));
    let placed = world.ask::<PlaceLegalHold>(OFFICER, json!({ "subjects": [ada], "matter": "case 7" })).await.unwrap();
    let check = || CheckDeletionHold { request_id: DeletionRequestId::of(ada), subject, footprint: None };
    assert_eq!(became(&world.execute(SYSTEM, check()).await.unwrap()), "HELD");
    assert_eq!(became(&world.ask::<CancelUserDeletion>(own, json!({ "user_id": ada })).await.unwrap()), "CANCELLED");
    assert_eq!(world.status(ada).await, UserStatus::Active);
    world.ask::<ReleaseLegalHold>(OFFICER, json!({ "hold_id": placed.answer.0["id"] })).await.unwrap();
    assert_eq!(became(&world.execute(SYSTEM, check()).await.unwrap()), "CANCELLED");
}
