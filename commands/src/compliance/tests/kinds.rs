//! What is particular to forced deletions, to experts and to organizations (7C to 7E).

use super::*;
use crate::organizations::slug_claim;

/// covers: E-171, E-172
#[tokio::test]
async fn the_platform_alone_forces_a_deletion_and_three_of_its_people_agree() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = DeletionSubject::User(ada);
    let forced = json!({ "user_id": ada, "forced": { "ground": "fraud", "incident": "INC-7" } });
    assert_eq!(refusal(world.ask::<SubmitDeletion>(world.admin, forced.clone()).await).1, "compliance.deletion_not_yours");
    world.ask::<SubmitDeletion>(PLATFORM, forced).await.unwrap();
    assert_eq!(world.request(subject).await.kind, DeletionKind::Forced);
    let factor = VerifyDeletion {
        request_id: DeletionRequestId::of(ada),
        subject,
        home: world.organization,
        proof: CredentialAction::UseRecoveryCode { digest: code() },
        other_officers: Vec::new(),
    };
    assert!(world.execute(PLATFORM, factor).await.is_err(), "without a second factor nothing is proven");
    world.prove_forced(subject).await;
    assert_eq!(refusal(world.approve(world.admin, subject).await).1, "compliance.deletion_not_yours");
    assert_eq!(became(&world.approve(SECOND, subject).await.unwrap()), "IN_REVIEW");
    assert_eq!(refusal(world.approve(SECOND, subject).await).1, "compliance.deletion_already_approved");
    assert_eq!(became(&world.approve(THIRD, subject).await.unwrap()), "GRACE");
    assert_eq!(refusal(world.on_request::<CancelDeletion>(world.admin, subject).await).1, "compliance.deletion_not_yours");
}

fn code() -> palmares_domain::kernel::Digest {
    palmares_domain::kernel::Digest([7; 32])
}

impl World {
    /// The platform's people prove themselves at home; what matters here is that they did.
    async fn prove_forced(&self, subject: DeletionSubject) {
        let request_id = DeletionRequestId::of(subject.id());
        self.execute(
            PLATFORM,
            VerifyDeletion {
                request_id,
                subject,
                home: OrganizationId::PLATFORM,
                proof: CredentialAction::BeginTotp { secret: "A".repeat(32) },
                other_officers: Vec::new(),
            },
        )
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn an_expert_stays_while_somebody_depends_on_them() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    world.ask::<AssignRole>(world.admin, json!({ "user_id": ada, "role": "expert" })).await.unwrap();
    let subject = DeletionSubject::User(ada);
    let own = As(ada, Role::Expert);
    world.ask::<SubmitDeletion>(own, json!({ "user_id": ada })).await.unwrap();
    assert_eq!(world.request(subject).await.kind, DeletionKind::Expert);
    world.verify(own, subject).await.unwrap();
    let approve = |outcome| {
        let checks = vec![Checked { check: Check::Dependencies, outcome }];
        let request_id = DeletionRequestId::of(ada);
        world.execute(OFFICER, ApproveDeletion { request_id, footprint: None, checks, other_officers: Vec::new(), subject: Some(subject) })
    };
    assert_eq!(refusal(approve(CheckOutcome::Open).await).1, "compliance.deletion_checks_open");
    assert_eq!(became(&approve(CheckOutcome::Clear).await.unwrap()), "GRACE");
}

/// covers: E-43
#[tokio::test]
async fn an_organization_is_reviewed_by_the_platform_before_its_people_are_out() {
    let world = World::new().await;
    let subject = DeletionSubject::Organization(world.organization);
    let body = json!({ "organization_id": world.organization });
    world.ask::<RequestOrganizationDeletion>(world.admin, body).await.unwrap();
    assert_eq!(world.of_organization().await, OrganizationStatus::Active);
    world.verify(world.admin, subject).await.unwrap();
    assert_eq!(refusal(world.approve(OFFICER, subject).await).1, "compliance.deletion_not_yours");
    assert_eq!(became(&world.approve(PLATFORM, subject).await.unwrap()), "GRACE");
    assert_eq!(world.of_organization().await, OrganizationStatus::OrgPendingDeletion);
    assert_eq!(refusal(world.on_request::<CancelDeletion>(world.admin, subject).await).1, "compliance.deletion_not_yours");
    world.on_request::<CancelDeletion>(PLATFORM, subject).await.unwrap();
    assert_eq!(world.of_organization().await, OrganizationStatus::Active);

    world.ask::<RequestOrganizationDeletion>(world.admin, json!({ "organization_id": world.organization })).await.unwrap();
    let proof = CredentialAction::RecordTotp { step: 21 };
    let request_id = DeletionRequestId::of(world.organization);
    world
        .execute(world.admin, VerifyDeletion { request_id, subject, home: world.organization, proof, other_officers: Vec::new() })
        .await
        .unwrap();
    world.approve(PLATFORM, subject).await.unwrap();
    world.days(30);
    assert_eq!(became(&world.end_grace(subject).await), "SOFT_DELETED");
    world.days(30);
    assert_eq!(became(&world.erase(subject).await), "RETENTION_COUNTDOWN");
    world.days(3700);
    assert_eq!(became(&world.erase(subject).await), "PURGED");
    assert_eq!(world.of_organization().await, OrganizationStatus::Purged);
    assert_eq!(world.engine.owner(slug_claim("acme")).await.unwrap(), None);
}
