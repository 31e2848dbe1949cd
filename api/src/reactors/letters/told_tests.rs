//! Who is told of what others did.

use super::*;

// covers: E-168
#[tokio::test]
async fn who_is_to_be_deleted_at_the_word_of_another_is_told_and_who_asked_is_not() {
    const OFFICER: Uuid = Uuid::from_u128(15);
    for (actor, told) in [(OFFICER, 1), (ADA.0, 0)] {
        let (world, mailbox) = World::with_mailbox().await;
        let mut delivered = world.delivered("user", "identity.user_deletion_requested", &json!({ "user_id": ADA }), None);
        delivered.event = Arc::new(RecordedEvent { actor_id: actor, ..(*delivered.event).clone() });
        world.reactor.react(&delivered).await.unwrap();
        assert_eq!(texts(&mailbox.caught).len(), told);
        let subjects: Vec<_> = mailbox.caught.to(Some(ADDRESS)).iter().map(|mail| mail.subject.clone()).collect();
        assert!(subjects.iter().all(|subject| subject == "Votre compte chez Acmé va être supprimé"), "{subjects:?}");
    }
}

// covers: E-276
#[tokio::test]
async fn whose_schedule_took_nothing_out_is_told_where_they_have_to_see_to_it() {
    for (fault, told) in [("too_large", 1), ("not_permitted", 0), ("erased", 0)] {
        let (world, mailbox) = World::with_mailbox().await;
        let (export_id, schedule_id) = (Uuid::from_u128(18), Uuid::from_u128(19));
        let payload = json!({ "export_id": export_id, "user_id": ADA, "schedule_id": schedule_id, "fault": fault });
        let delivered = world.delivered("subject_export", "compliance.audit_export_failed", &payload, None);
        world.reactor.react(&delivered).await.unwrap();
        world.reactor.react(&delivered).await.unwrap();
        let sent = texts(&mailbox.caught);
        assert_eq!(sent.len(), told, "{fault}");
        assert!(sent.iter().all(|text| text.contains("dépassait ce que contient un fichier")), "{sent:?}");
    }
}

/// covers: E-87
#[tokio::test]
async fn each_of_those_who_are_told_of_an_anomaly_gets_a_letter_once() {
    let (world, mailbox) = World::with_mailbox().await;
    let nobody = Uuid::from_u128(15);
    let payload = json!({
        "anomaly_id": Uuid::from_u128(16), "rule": "MASS_READS", "about": Uuid::from_u128(17), "sightings": 25, "told": [nobody, ADA],
    });
    let delivered = world.delivered("access_anomaly", "compliance.anomaly_raised", &payload, None);
    world.reactor.react(&delivered).await.unwrap();
    world.reactor.react(&delivered).await.unwrap();
    let [text] = &texts(&mailbox.caught)[..] else { panic!("one letter is sent to whom has an address") };
    assert!(text.contains("de nombreuses personnes") && !text.contains(&Uuid::from_u128(17).to_string()), "{text}");
    let id = LetterId::asked_by_to(delivered.event.id, ADA);
    let state = world.reactor.engine.look(world.organization, id, |letter: &Letter| *letter).await.unwrap();
    assert_eq!(state, Letter::Sent);
}

/// Each of those who look after compliance is told once, and nobody as an officer of their own request.
#[tokio::test]
async fn who_looks_after_compliance_is_told_once_of_what_is_overdue() {
    let somebody = UserId(Uuid::from_u128(15));
    for (about, told) in [(somebody, 1), (ADA, 0)] {
        let (world, mailbox) = World::with_mailbox().await;
        let payload = json!({ "request_id": Uuid::from_u128(16), "user_id": about, "due_at": Utc::now() });
        let delivered = world.delivered("subject_request", "compliance.subject_request_overdue", &payload, None);
        world.reactor.react(&delivered).await.unwrap();
        world.reactor.react(&delivered).await.unwrap();
        assert_eq!(texts(&mailbox.caught).len(), told);
    }
}

// covers: E-178
#[tokio::test]
async fn the_letter_that_answers_a_request_for_a_copy_has_the_key_of_the_export_until_it_is_gone() {
    let export = ExportId(Uuid::from_u128(18));
    for (days, told) in [(30, 1), (-1, 0)] {
        let (world, mailbox) = World::with_mailbox().await;
        let payload = json!({
            "request_id": Uuid::from_u128(16), "user_id": ADA, "fulfilled_by": Uuid::from_u128(15), "note": null,
            "deletion_request_id": null, "export_id": export, "available_until": Utc::now() + TimeDelta::days(days),
        });
        let delivered = world.delivered("subject_request", "compliance.subject_request_fulfilled", &payload, None);
        world.reactor.react(&delivered).await.unwrap();
        world.reactor.react(&delivered).await.unwrap();
        let texts = texts(&mailbox.caught);
        assert_eq!(texts.len(), told);
        let key = answer_key(&world.reactor.post.ring, world.organization, export).await.unwrap();
        assert!(texts.iter().all(|text| text.lines().any(|line| line.trim() == key)), "{texts:?}");
    }
}

/// A reason is told to whoever asked for their own deletion, and a ground in words; what others asked for is told to nobody.
#[tokio::test]
async fn who_asked_for_their_own_deletion_is_told_once_what_others_decided() {
    let (request_id, decided_by, subject) = (Uuid::from_u128(16), Uuid::from_u128(15), json!({ "user": ADA }));
    for (told, letters) in [(Some(ADA), 1), (None, 0)] {
        let cancelled = json!({
            "request_id": request_id, "subject": subject, "cancelled_by": decided_by, "told": told, "concerns": ADA,
            "reason": { "sealed": "0".repeat(64) },
        });
        let refused = json!({ "request_id": request_id, "refused_by": decided_by, "ground": "public_health", "told": told });
        let of = [
            ("compliance.cancellation_explained", cancelled, "Vous avez appelé."),
            ("compliance.deletion_refused", refused, "santé publique"),
        ];
        for (event_type, payload, said) in of {
            let (world, mailbox) = World::with_mailbox().await;
            let mut delivered = world.delivered("deletion_request", event_type, &payload, None);
            if event_type.ends_with("explained") {
                delivered.opened.insert("reason".to_owned(), serde_json::to_vec("Vous avez appelé.").unwrap());
            }
            world.reactor.react(&delivered).await.unwrap();
            world.reactor.react(&delivered).await.unwrap();
            let sent = texts(&mailbox.caught);
            assert_eq!(sent.len(), letters, "{event_type}");
            assert!(sent.iter().all(|text| text.contains(said) && text.contains("autorité de protection des données")), "{sent:?}");
        }
    }
}

/// Refusals from before somebody was told of them stay as they are.
#[tokio::test]
async fn what_was_refused_before_there_was_a_letter_sends_none() {
    let (world, mailbox) = World::with_mailbox().await;
    let refused = json!({ "request_id": Uuid::from_u128(16), "refused_by": Uuid::from_u128(15), "ground": "public_health" });
    world.reactor.react(&world.delivered("deletion_request", "compliance.deletion_refused", &refused, None)).await.unwrap();
    assert!(texts(&mailbox.caught).is_empty());
}
