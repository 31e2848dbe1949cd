//! What may be asked, and who hears of what became of it.

use super::*;
use crate::identity::UnassignRole;

fn officer(user: UserId) -> Value {
    json!({ "user_id": user, "role": "compliance_officer" })
}

/// covers: E-47
#[tokio::test]
async fn the_last_officer_is_not_taken_away_by_a_deletion() {
    let world = World::new().await;
    let own = As(world.user("officer", Role::ComplianceOfficer).await, Role::ComplianceOfficer);
    let other = world.user("other", Role::Member).await;
    let (subject, request_id) = (DeletionSubject::User(own.0), DeletionRequestId::of(own.0));
    let submit = |others: Vec<UserId>| SubmitDeletion {
        user_id: Some(own.0),
        organization: false,
        reason: None,
        forced: None,
        other_officers: others,
    };
    let last = (Code::Conflict, "identity.last_compliance_officer".to_owned());
    for (caller, others) in [(world.admin, vec![]), (own, vec![]), (world.admin, vec![other, own.0])] {
        assert_eq!(refusal(world.execute(caller, submit(others)).await), last);
    }
    world.ask::<AssignRole>(world.admin, officer(other)).await.unwrap();
    world.execute(world.admin, submit(vec![other])).await.unwrap();

    // Whoever else was one when it was asked for has to be one when it is proven: from there on they act no more.
    let enrol = vec![CredentialAction::BeginTotp { secret: "A".repeat(32) }, CredentialAction::ConfirmTotp { step: 10 }];
    world.execute(world.admin, Enter::change(world.admin.0, enrol)).await.unwrap();
    let verify = || {
        let proof = CredentialAction::RecordTotp { step: 20 };
        VerifyDeletion { request_id, subject, home: world.organization, proof, other_officers: vec![other] }
    };
    world.ask::<UnassignRole>(PLATFORM, officer(other)).await.unwrap();
    assert_eq!(refusal(world.execute(world.admin, verify()).await), last);
    assert_eq!(world.status(own.0).await, UserStatus::Active);
    world.ask::<AssignRole>(world.admin, officer(other)).await.unwrap();
    world.execute(world.admin, verify()).await.unwrap();

    // And when it is approved: until then they come back where it is refused.
    world.ask::<UnassignRole>(PLATFORM, officer(other)).await.unwrap();
    let approve = || {
        let (checks, other_officers) = (Vec::new(), vec![other]);
        ApproveDeletion { request_id, footprint: Some(Span::default()), checks, other_officers, subject: Some(subject) }
    };
    assert_eq!(refusal(world.execute(OFFICER, approve()).await), last);
    assert_eq!(became(&world.execute(PLATFORM, approve()).await.unwrap()), "GRACE", "an organization may have to begin anew");
}

/// covers: E-47
#[tokio::test]
async fn an_officer_who_could_not_act_before_goes_by_a_deletion() {
    let world = World::new().await;
    let (gone, stays) = (world.user("gone", Role::ComplianceOfficer).await, world.user("stays", Role::ComplianceOfficer).await);
    let suspend = SuspendUser { user_id: gone, reason: None, other_officers: vec![stays] };
    world.execute(world.admin, suspend).await.unwrap();
    let subject = DeletionSubject::User(gone);
    world.ask::<SubmitDeletion>(world.admin, json!({ "user_id": gone })).await.unwrap();
    world.verify(world.admin, subject).await.unwrap();
    world.ask::<UnassignRole>(PLATFORM, officer(stays)).await.unwrap();
    assert_eq!(became(&world.approve(OFFICER, subject).await.unwrap()), "GRACE");
}

#[tokio::test]
async fn nobody_asks_that_everybody_go_without_saying_so() {
    let world = World::new().await;
    let named = |outcome: Result<Receipt, Rejection>| {
        let Rejection::Refused(refused) = outcome.unwrap_err() else { panic!("it is refused") };
        let error = refused.errors.first().cloned().unwrap();
        (refused.code, error.field, error.reason)
    };
    let missing = (Code::ValidationError, "user_id".to_owned(), "compliance.deletion_subject_missing".to_owned());
    for nothing in [json!({}), json!({ "user_id": null }), json!({ "organization": false }), json!({ "reason": "leaving" })] {
        assert_eq!(named(world.ask::<SubmitDeletion>(world.admin, nothing).await), missing);
    }
    let both = json!({ "user_id": world.admin.0, "organization": true });
    let two = (Code::ValidationError, "organization".to_owned(), "compliance.deletion_subjects_two".to_owned());
    assert_eq!(named(world.ask::<SubmitDeletion>(world.admin, both).await), two);
    world.ask::<SubmitDeletion>(world.admin, json!({ "organization": true })).await.unwrap();
    assert_eq!(world.request(DeletionSubject::Organization(world.organization)).await.kind, DeletionKind::Organization);
}

#[tokio::test]
async fn who_takes_back_what_somebody_asked_for_themselves_says_why() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = world.in_grace(ada).await;
    let why = json!({ "reason": "She called, and asked us to." });
    assert_eq!(refusal(world.on_request::<CancelDeletion>(world.admin, subject).await).1, "compliance.deletion_reason_missing");
    assert_eq!(
        refusal(world.ask::<CancelUserDeletion>(world.admin, json!({ "user_id": ada })).await).1,
        "compliance.deletion_reason_missing"
    );
    world.on_request_with::<CancelDeletion>(world.admin, subject, why).await.unwrap();
    assert_eq!((world.status(ada).await, world.request(subject).await.status), (UserStatus::Active, DeletionStatus::Cancelled));
}
