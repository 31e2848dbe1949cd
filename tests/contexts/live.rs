//! What is told as it happens: server-sent events and WebSockets.

use super::{
    history::{eventful, exports, is_access, position},
    sign_in::{OWN, cookie, door},
};
use crate::support::running::{Client, Organization, Reply, fresh_organization, running};
use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

/// The events of a response in the form of server-sent events, as they come.
pub(super) struct Subscription {
    response: reqwest::Response,
    unread: String,
}

impl Subscription {
    pub(super) async fn open(client: &Client, path: &str, last_event_id: Option<i64>) -> Self {
        let mut request = client.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.expect("the stream opens");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: String::new() }
    }

    /// The next event; comments and the retry hint are passed over.
    pub(super) async fn next(&mut self) -> Value {
        loop {
            while let Some((block, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("data: ").zip(field("id: "));
                self.unread = rest.to_owned();
                if let Some((data, id)) = found {
                    let event: Value = serde_json::from_str(&data).expect("an event");
                    assert_eq!(id, position(&event).to_string(), "the id of an event is its position");
                    return event;
                }
            }
            let piece = self.response.chunk().await.expect("the stream goes on").expect("the stream does not end");
            self.unread.push_str(std::str::from_utf8(&piece).expect("events in UTF-8"));
        }
    }

    /// The next event of the business: who looks is recorded as well.
    async fn next_of_domain(&mut self) -> Value {
        loop {
            let event = self.next().await;
            if !is_access(&event) {
                return event;
            }
        }
    }
}

/// A WebSocket that a handshake with these headers opens, or the status that refuses it.
async fn socket(path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let address = running().descriptor.base_url.replace("http://", "ws://");
    let mut request = format!("{address}/api/v1{path}").into_client_request().expect("an address");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(Error::Http(refused)) => Err(refused.status().as_u16()),
        Err(error) => panic!("the handshake broke off: {error}"),
    }
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next event of the business.
    async fn next_of_domain(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.message().await {
                let event: Value = serde_json::from_str(&text).expect("an event");
                if !is_access(&event) {
                    return event;
                }
            }
        }
    }

    /// How the other side closes it, with the events before passed over.
    async fn closed(&mut self) -> (CloseCode, String) {
        loop {
            if let Message::Close(frame) = self.message().await {
                let frame = frame.expect("a reason");
                return (frame.code, frame.reason.to_string());
            }
        }
    }

    async fn message(&mut self) -> Message {
        self.0.next().await.expect("the connection goes on").expect("a message")
    }
}

fn bearer(client: &Client) -> String {
    format!("Bearer {}", client.token())
}

/// An analyst who is signed in, with a token and in a browser.
async fn analyst(organization: &Organization) -> (Client, Reply) {
    let person = organization.person("analyst").await.with_own_password().await;
    let by_token = door("/auth/signin?$jwt=true", &person.body(OWN)).await.expect(200);
    let by_cookie = door("/auth/signin", &person.body(OWN)).await.expect(200);
    (organization.member.with_token(&by_token.id("access_token")), by_cookie)
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_that_was_seen_and_goes_on_live() {
    let (organization, program) = eventful().await;
    let known = organization.domain_events().await;
    let (seen, missed) = known.split_at(known.len() - 3);
    let mut resumed = Subscription::open(&organization.analyst, "/events/stream", seen.last().map(position)).await;
    for expected in missed {
        assert_eq!(&resumed.next_of_domain().await, expected);
    }
    let debit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 7 });
    let spent = organization.admin.post("/points/debits", &debit).await.expect(201);
    let live = resumed.next_of_domain().await;
    assert_eq!((live["type"].as_str(), position(&live)), (Some("points.points_debited"), spent.position()));

    let recorded = exports(&organization).await;
    let begun: Vec<_> = recorded.iter().map(|record| record["payload"]["from_position"].as_i64()).collect();
    assert_eq!(begun, [seen.last().map(position)], "the record says where the stream was resumed");

    let mut filtered = Subscription::open(&organization.analyst, "/events/stream?type=points.points_debited&after=0", None).await;
    for amount in [1, 2, 3, 4, 5, 7] {
        assert_eq!(filtered.next().await["payload"]["amount"], amount);
    }
}

// covers: T-48, T-13
#[tokio::test]
async fn a_web_socket_knows_its_caller_by_the_same_token_or_cookie_and_tells_the_same() {
    let (organization, program) = eventful().await;
    let known = organization.domain_events().await;
    let path = format!("/events/stream?after={}", position(&known[known.len() - 3]));
    let (by_token, by_cookie) = analyst(&organization).await;
    let own = running().descriptor.base_url.clone();
    let cookie = cookie(&by_cookie);

    let mut sockets = [
        socket(&path, &[("authorization", &bearer(&by_token))]).await.expect("a token opens it"),
        socket(&path, &[("cookie", &cookie), ("origin", &own)]).await.expect("a page of our own opens it"),
        socket(&path, &[("cookie", &cookie), ("palmares-csrf", &by_cookie.id("csrf_token"))]).await.expect("who knows the token opens it"),
    ];
    for expected in &known[known.len() - 2..] {
        for socket in &mut sockets {
            assert_eq!(&socket.next_of_domain().await, expected);
        }
    }
    let debit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 7 });
    let spent = organization.admin.post("/points/debits", &debit).await.expect(201);
    for socket in &mut sockets {
        // Signing in is recorded as well.
        while position(&socket.next_of_domain().await) < spent.position() {}
    }
    let me = by_token.get("/me").await.expect(200).id("user_id");
    let recorded = exports(&organization).await;
    let of_sockets: Vec<_> = recorded.iter().filter(|record| record["actor_id"] == me.as_str()).collect();
    assert_eq!(of_sockets.len(), sockets.len(), "each connection is recorded under the caller's name");
}

// covers: T-48
#[tokio::test]
async fn a_web_socket_is_refused_to_strangers_to_other_sites_and_to_whoever_may_not() {
    let organization = fresh_organization().await;
    let path = "/events/stream";
    let (_, by_cookie) = analyst(&organization).await;
    let cookie = cookie(&by_cookie);
    let refused = async |headers: &[(&'static str, &str)]| socket(path, headers).await.err();
    assert_eq!(refused(&[]).await, Some(401));
    assert_eq!(refused(&[("authorization", "Bearer nonsense")]).await, Some(401));
    assert_eq!(refused(&[("authorization", &bearer(&organization.member))]).await, Some(403), "a member may not follow the log");
    assert_eq!(refused(&[("cookie", &cookie), ("origin", "https://elsewhere.example")]).await, Some(403));
    assert_eq!(refused(&[("cookie", &cookie), ("origin", "null")]).await, Some(403));
    assert_eq!(refused(&[("cookie", &cookie)]).await, Some(403), "a cookie alone may have been sent by any page");
    assert!(exports(&organization).await.is_empty(), "nothing was opened");
}

#[tokio::test]
async fn a_connection_ends_with_the_session_that_opened_it() {
    let organization = fresh_organization().await;
    let (by_token, by_cookie) = analyst(&organization).await;
    let mut socket = socket("/events/stream", &[("authorization", &bearer(&by_token))]).await.expect("a token opens it");
    let mut events = Subscription::open(&by_token, "/events/stream", None).await;
    by_token.post("/me/sessions/revoke", &json!({})).await.expect(200);

    assert_eq!(socket.closed().await, (CloseCode::Policy, "gate.token_invalid".to_owned()));
    while events.response.chunk().await.expect("it ends without a fault").is_some() {}
    let out = Client::anonymous().request(Method::GET, "/me").header("Cookie", cookie(&by_cookie));
    Reply::of(out).await.refused(401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn a_web_socket_answers_pings_and_closes_on_what_nobody_asked_for() {
    let organization = fresh_organization().await;
    let open = async || socket("/events/stream", &[("authorization", &bearer(&organization.analyst))]).await.expect("it opens");
    let mut polite = open().await;
    polite.0.send(Message::Ping("are you there?".into())).await.expect("it is sent");
    while !matches!(polite.message().await, Message::Pong(answer) if answer == "are you there?") {}
    polite.0.close(None).await.expect("it is sent");
    assert_eq!(polite.closed().await.0, CloseCode::Normal);

    let mut talkative = open().await;
    talkative.0.send(Message::text("hello")).await.expect("it is sent");
    assert_eq!(talkative.closed().await.0, CloseCode::Unsupported);
    let not_one = organization.analyst.request(Method::GET, "/events/stream").header("Upgrade", "websocket");
    let refused = Reply::of(not_one).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "Sec-WebSocket-Key");
}
