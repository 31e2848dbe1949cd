//! The contract of the event store. PostgreSQL and memory pass the same cases.

/// Runs every case of [`cases`] against every adapter.
macro_rules! contract {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $case() { super::cases::$case(std::sync::Arc::new(palmares_commands::store::memory::MemoryStore::default())).await })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $case() { super::cases::$case(super::postgres_store().await).await })*
        }
    };
}

contract! {
    positions_and_versions_are_contiguous_from_one
    a_writer_that_saw_another_version_is_refused_and_nothing_is_recorded
    an_append_over_several_streams_is_recorded_whole_or_not_at_all
    a_claim_has_one_owner_until_it_is_released
    a_release_and_a_claim_of_the_same_key_follow_each_other_in_one_queue
    a_repeated_command_gets_the_first_answer
    an_event_over_the_limit_is_refused
    an_offender_does_not_take_its_neighbours_with_it
    many_appends_to_one_stream_keep_the_order_in_which_they_were_submitted
    an_append_without_events_only_asserts_the_version
    a_load_gives_the_newest_fitting_snapshot_and_the_tail
    recorded_times_never_go_back
    concurrent_writers_of_one_stream_leave_no_gap
}

async fn postgres_store() -> std::sync::Arc<dyn palmares_commands::store::EventStore> {
    use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
    let database = crate::support::servers::database().await;
    std::sync::Arc::new(PostgresStore::open(PostgresStoreOptions::new(database.url.parse().unwrap())).await.unwrap())
}

mod cases {
    use crate::support::streams::{append, appends, assert_contiguous, claim, command, event, follow, stream};
    use palmares_commands::store::{self, Append, AppendError, Committed, EventStore, LoadRequest, Snapshot, StreamWrite};
    use std::sync::Arc;
    use uuid::Uuid;

    type Store = Arc<dyn EventStore>;

    async fn append_to(store: &Store, append: Append) -> Result<Committed, AppendError> {
        store::append(store.as_ref(), append).await
    }

    pub async fn positions_and_versions_are_contiguous_from_one(store: Store) {
        let (one, two) = (stream(), stream());
        assert_eq!(append_to(&store, append(one, 0, 3)).await.unwrap().position, 3);
        assert_eq!(append_to(&store, append(two, 0, 1)).await.unwrap().position, 4);
        assert_eq!(append_to(&store, append(one, 3, 2)).await.unwrap().position, 6);
        let log = follow(store.as_ref()).await;
        assert_eq!(log.len(), 6);
        assert_contiguous(&log);
        assert_eq!(store.head().await.unwrap().position, 6);
        assert_eq!(*store.committed().borrow(), 6);
    }

    pub async fn a_writer_that_saw_another_version_is_refused_and_nothing_is_recorded(store: Store) {
        let name = stream();
        append_to(&store, append(name, 0, 2)).await.unwrap();
        for seen in [0, 1, 3] {
            let refused = append_to(&store, append(name, seen, 1)).await;
            assert!(matches!(refused, Err(AppendError::WrongVersion { .. })), "at {seen}: {refused:?}");
        }
        assert!(matches!(append_to(&store, append(stream(), 1, 1)).await, Err(AppendError::WrongVersion { .. })));
        assert_eq!(follow(store.as_ref()).await.len(), 2);
    }

    pub async fn an_append_over_several_streams_is_recorded_whole_or_not_at_all(store: Store) {
        let (one, two) = (stream(), stream());
        let write = |stream, expected_version| StreamWrite { stream, expected_version, handle: None, events: vec![event("half")] };
        append_to(&store, appends(vec![write(one, 0), write(two, 0)])).await.unwrap();
        let refused = append_to(&store, appends(vec![write(one, 1), write(two, 7)])).await;
        assert!(matches!(refused, Err(AppendError::WrongVersion { stream, .. }) if stream == two), "{refused:?}");
        let log = follow(store.as_ref()).await;
        assert_eq!(log.len(), 2);
        assert_contiguous(&log);
    }

    pub async fn a_claim_has_one_owner_until_it_is_released(store: Store) {
        let (first, second) = (stream(), stream());
        let held = claim(first.organization, "slug", first.id);
        let wanted = claim(first.organization, "slug", second.id);
        append_to(&store, Append { claims: vec![held], ..append(first, 0, 1) }).await.unwrap();
        let refused = append_to(&store, Append { claims: vec![wanted], ..append(second, 0, 1) }).await;
        assert_eq!(refused, Err(AppendError::ClaimTaken { held }));
        assert_eq!(store.claim(held.key).await.unwrap(), Some(held));
        append_to(&store, Append { releases: vec![held.key], ..append(first, 1, 1) }).await.unwrap();
        assert_eq!(store.claim(held.key).await.unwrap(), None);
        append_to(&store, Append { claims: vec![wanted], ..append(second, 0, 1) }).await.unwrap();
        assert_eq!(store.claim(held.key).await.unwrap(), Some(wanted));
        let elsewhere = stream();
        append_to(&store, Append { claims: vec![claim(elsewhere.organization, "slug", elsewhere.id)], ..append(elsewhere, 0, 1) })
            .await
            .expect("another organization's key is another key");
    }

    pub async fn a_release_and_a_claim_of_the_same_key_follow_each_other_in_one_queue(store: Store) {
        let (first, second) = (stream(), stream());
        let held = claim(first.organization, "slug", first.id);
        let claimed = store.submit(Append { claims: vec![held], ..append(first, 0, 1) });
        let released = store.submit(Append { releases: vec![held.key], ..append(first, 1, 1) });
        let taken = store.submit(Append { claims: vec![claim(first.organization, "slug", second.id)], ..append(second, 0, 1) });
        claimed.await.unwrap().unwrap();
        released.await.unwrap().unwrap();
        taken.await.unwrap().unwrap();
        assert_eq!(store.claim(held.key).await.unwrap().map(|claim| claim.owner), Some(second.id));
    }

    pub async fn a_repeated_command_gets_the_first_answer(store: Store) {
        let (one, two) = (stream(), stream());
        let record = command(r#"{"status":"done"}"#);
        let committed = append_to(&store, Append { command: Some(record.clone()), ..append(one, 0, 2) }).await.unwrap();
        let again = append_to(&store, Append { command: Some(record.clone()), ..append(two, 0, 1) }).await;
        let Err(AppendError::DuplicateCommand(first)) = again else { panic!("{again:?}") };
        assert_eq!((first.position, first.version), (committed.position, 2));
        assert_eq!(first.answer, record.answer);
        assert_eq!(store.command(record.id).await.unwrap(), Some(*first));
        assert_eq!(follow(store.as_ref()).await.len(), 2);
    }

    pub async fn an_event_over_the_limit_is_refused(store: Store) {
        let mut large = append(stream(), 0, 1);
        large.writes[0].events[0] = event(&"x".repeat(store::EVENT_MAX_BYTES));
        assert!(matches!(append_to(&store, large).await, Err(AppendError::EventTooLarge(_))));
        assert!(follow(store.as_ref()).await.is_empty());
    }

    pub async fn an_offender_does_not_take_its_neighbours_with_it(store: Store) {
        let owner = stream();
        let held = claim(owner.organization, "one of a kind", owner.id);
        append_to(&store, Append { claims: vec![held], ..append(owner, 0, 1) }).await.unwrap();
        let outcomes: Vec<_> = (0..100)
            .map(|n| {
                let append = append(stream(), 0, 1);
                store.submit(if n % 10 == 3 { Append { claims: vec![held], ..append } } else { append })
            })
            .collect();
        for (n, outcome) in outcomes.into_iter().enumerate() {
            let outcome = outcome.await.unwrap();
            if n % 10 == 3 {
                assert_eq!(outcome, Err(AppendError::ClaimTaken { held }), "append {n}");
            } else {
                outcome.unwrap_or_else(|error| panic!("append {n}: {error}"));
            }
        }
        let log = follow(store.as_ref()).await;
        assert_eq!(log.len(), 91);
        assert_contiguous(&log);
    }

    pub async fn many_appends_to_one_stream_keep_the_order_in_which_they_were_submitted(store: Store) {
        let name = stream();
        let outcomes: Vec<_> = (0..500).map(|version| store.submit(append(name, version, 1))).collect();
        let mut last = 0;
        for outcome in outcomes {
            let position = outcome.await.unwrap().unwrap().position;
            assert!(position > last);
            last = position;
        }
        assert_contiguous(&follow(store.as_ref()).await);
    }

    pub async fn an_append_without_events_only_asserts_the_version(store: Store) {
        let name = stream();
        append_to(&store, append(name, 0, 1)).await.unwrap();
        assert_eq!(append_to(&store, append(name, 1, 0)).await.unwrap().position, 1);
        assert!(matches!(append_to(&store, append(name, 0, 0)).await, Err(AppendError::WrongVersion { .. })));
        assert_eq!(follow(store.as_ref()).await.len(), 1);
    }

    pub async fn a_load_gives_the_newest_fitting_snapshot_and_the_tail(store: Store) {
        let name = stream();
        append_to(&store, append(name, 0, 5)).await.unwrap();
        let request = LoadRequest { stream: name, shape: 2, with_sealed: false };
        let loaded = store.load(request).await.unwrap();
        assert_eq!((loaded.snapshot, loaded.events.len()), (None, 5));
        let kept = |version, shape| Snapshot { version, shape, state: b"{}".to_vec() };
        for snapshot in [kept(2, 2), kept(4, 2), kept(3, 2)] {
            store.keep_snapshot(name, snapshot);
        }
        // Snapshots are kept behind the caller's back; wait until the newest is there.
        let until_kept = async {
            loop {
                let loaded = store.load(request).await.unwrap();
                if loaded.snapshot.as_ref().is_some_and(|snapshot| snapshot.version == 4) {
                    return loaded;
                }
                tokio::task::yield_now().await;
            }
        };
        let loaded = tokio::time::timeout(std::time::Duration::from_secs(30), until_kept).await.expect("the newest is kept in time");
        assert_eq!(loaded.events.iter().map(|event| event.version).collect::<Vec<_>>(), [5]);
        let other_shape = store.load(LoadRequest { shape: 3, ..request }).await.unwrap();
        assert_eq!((other_shape.snapshot, other_shape.events.len()), (None, 5));
    }

    pub async fn recorded_times_never_go_back(store: Store) {
        let mut last = None;
        for _ in 0..20 {
            let committed = append_to(&store, append(stream(), 0, 1)).await.unwrap();
            assert!(Some(committed.recorded_at) > last);
            last = Some(committed.recorded_at);
        }
    }

    pub async fn concurrent_writers_of_one_stream_leave_no_gap(store: Store) {
        let name = stream();
        let writers: Vec<_> = (0..16)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut written = 0;
                    let mut version = 0;
                    while written < 20 {
                        match append_to(&store, append(name, version, 1)).await {
                            Ok(_) => (written, version) = (written + 1, version + 1),
                            Err(AppendError::WrongVersion { .. }) => {
                                let request = LoadRequest { stream: name, shape: 0, with_sealed: false };
                                version = store.load(request).await.unwrap().events.len() as i64;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let log = follow(store.as_ref()).await;
        assert_eq!(log.len(), 320);
        assert_contiguous(&log);
        assert!(log.iter().all(|(_, id, _)| *id != Uuid::nil()));
    }
}
