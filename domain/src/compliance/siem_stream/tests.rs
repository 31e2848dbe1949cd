//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, Facts, OrganizationId, SiemStreamId, UserId};
use chrono::DateTime;
use uuid::Uuid;

const STREAM: SiemStreamId = SiemStreamId(Uuid::from_u128(1));
const ACME: OrganizationId = OrganizationId(Uuid::from_u128(2));
const ANN: UserId = UserId(Uuid::from_u128(3));

fn given(events: &[SiemStreamEvent]) -> SiemStream {
    events.iter().fold(SiemStream::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[SiemStreamEvent], command: SiemStreamCommand) -> Result<Vec<SiemStreamEvent>, SiemStreamError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ANN })
}

fn open(url: &str) -> OpenSiemStream {
    OpenSiemStream {
        stream_id: STREAM,
        organization_id: ACME,
        url: url.into(),
        format: SiemFormat::Ocsf,
        secret_ref: Some("siem".into()),
        topics: vec!["identity".parse().unwrap()],
        from_beginning: true,
        insecure_loopback: false,
    }
}

fn opened() -> SiemStreamEvent {
    SiemStreamOpened {
        stream_id: STREAM,
        organization_id: ACME,
        url: "https://siem.acme.example/in".parse().unwrap(),
        format: SiemFormat::Ocsf,
        secret_ref: Some("siem".into()),
        topics: vec!["identity".parse().unwrap()],
        from_beginning: true,
        opened_by: ANN,
    }
    .into()
}

/// The events that lead to a state, and the command and event of each way.
fn in_state(status: SiemStreamStatus) -> Vec<SiemStreamEvent> {
    match status {
        SiemStreamStatus::Active => vec![opened()],
        SiemStreamStatus::Paused => vec![opened(), paused()],
        SiemStreamStatus::Failed => vec![opened(), failed()],
        SiemStreamStatus::Closed => vec![opened(), closed()],
    }
}

fn paused() -> SiemStreamEvent {
    SiemStreamPaused { stream_id: STREAM, paused_by: ANN }.into()
}

fn resumed() -> SiemStreamEvent {
    SiemStreamResumed { stream_id: STREAM, resumed_by: ANN }.into()
}

fn closed() -> SiemStreamEvent {
    SiemStreamClosed { stream_id: STREAM, closed_by: ANN }.into()
}

fn failed() -> SiemStreamEvent {
    SiemStreamFailed { stream_id: STREAM, reason: SiemFailure::RefusedBySink, told: Some(ANN) }.into()
}

#[test]
fn a_stream_is_opened_once() {
    assert_eq!(when(&[], SiemStreamCommand::Open(open("https://siem.acme.example/in"))), Ok(vec![opened()]));
    assert_eq!(given(&[opened()]).sink().map(|sink| sink.status), Some(SiemStreamStatus::Active));
    let again = when(&[opened()], SiemStreamCommand::Open(open("https://siem.acme.example/in")));
    assert_eq!(again, Err(SiemStreamError::AlreadyOpen));
}

#[test]
fn whoever_resumed_a_stream_last_is_told_that_it_failed() {
    let bob = UserId(Uuid::from_u128(4));
    let by_bob: SiemStreamEvent = SiemStreamResumed { stream_id: STREAM, resumed_by: bob }.into();
    let failed = when(&[opened(), paused(), by_bob], SiemStreamCommand::Fail(SiemFailure::RefusedBySink));
    assert_eq!(failed, Ok(vec![SiemStreamFailed { stream_id: STREAM, reason: SiemFailure::RefusedBySink, told: Some(bob) }.into()]));
}

#[test]
fn it_moves_along_the_table_and_no_other_way() {
    let ways = [
        (SiemStreamCommand::Pause, SiemStreamStatus::Paused, paused()),
        (SiemStreamCommand::Resume, SiemStreamStatus::Active, resumed()),
        (SiemStreamCommand::Fail(SiemFailure::RefusedBySink), SiemStreamStatus::Failed, failed()),
        (SiemStreamCommand::Close, SiemStreamStatus::Closed, closed()),
    ];
    for from in SiemStreamStatus::ALL {
        for (command, to, event) in &ways {
            let allowed = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == *to);
            match when(&in_state(from), command.clone()) {
                Ok(events) => assert_eq!((allowed, events), (true, vec![event.clone()]), "{from:?} to {to:?}"),
                Err(error) => {
                    assert!(!allowed, "{from:?} to {to:?}: {error}");
                    let over = from == SiemStreamStatus::Closed;
                    assert_eq!(error == SiemStreamError::Closed, over, "{from:?} to {to:?}");
                    assert!(over || matches!(error, SiemStreamError::NotActive | SiemStreamError::NotStopped));
                }
            }
        }
    }
    for (command, ..) in ways {
        assert_eq!(when(&[], command), Err(SiemStreamError::NotFound));
    }
    let after = given(&[opened(), failed(), resumed()]);
    assert_eq!(after.sink().map(|sink| (sink.status, sink.failure)), Some((SiemStreamStatus::Active, None)));
}

#[test]
fn a_sink_is_at_a_public_name_by_tls() {
    for (bad, error) in [
        ("", SiemStreamError::UrlInvalid),
        ("siem.acme.example", SiemStreamError::UrlInvalid),
        ("https://siem.acme.example/in?token=1", SiemStreamError::UrlInvalid),
        ("http://siem.acme.example", SiemStreamError::UrlInsecure),
        ("https://10.0.0.1/in", SiemStreamError::UrlInsecure),
        ("https://localhost/in", SiemStreamError::UrlInsecure),
        ("http://127.0.0.1:9/in", SiemStreamError::UrlInsecure),
        ("https://169.254.169.254/latest", SiemStreamError::UrlInsecure),
        ("https://169.254.169.0xfe/latest", SiemStreamError::UrlInsecure),
    ] {
        assert_eq!(when(&[], SiemStreamCommand::Open(open(bad))), Err(error), "{bad}");
    }
    let loopback = OpenSiemStream { insecure_loopback: true, ..open("http://127.0.0.1:9/in") };
    assert!(when(&[], SiemStreamCommand::Open(loopback)).is_ok());
}

#[test]
fn secrets_are_named_and_topics_are_bounded() {
    for bad in ["", "../other", "UPPER", &"x".repeat(101)] {
        let command = OpenSiemStream { secret_ref: Some(bad.into()), ..open("https://siem.acme.example/in") };
        assert_eq!(when(&[], SiemStreamCommand::Open(command)), Err(SiemStreamError::SecretRefInvalid), "{bad:?}");
    }
    let with = |count: usize| {
        let topics = vec!["identity".parse().unwrap(); count];
        when(&[], SiemStreamCommand::Open(OpenSiemStream { topics, ..open("https://siem.acme.example/in") }))
    };
    assert!(with(100).is_ok());
    assert_eq!(with(101), Err(SiemStreamError::TooManyTopics));
}

#[test]
fn a_topic_covers_what_stands_below_it() {
    let topic = |text: &str| text.parse::<Topic>();
    assert!(topic("points.hold").unwrap().covers("points.hold.place"));
    assert!(topic("points.hold").unwrap().covers("points.hold"));
    assert!(!topic("points.hold").unwrap().covers("points.hold_placed"));
    assert!(topic("points").unwrap().covers("points.hold_placed"));
    for bad in ["", ".", "points.", "Points", "points hold", "a@b.example1", &"x".repeat(101)] {
        assert_eq!(topic(bad), Err(MalformedTopic), "{bad}");
    }
}
