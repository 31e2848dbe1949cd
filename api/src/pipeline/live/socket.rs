//! WebSockets (RFC 6455): one text message for each thing that happens, and nothing the other way.

use super::{
    BEAT, Happenings,
    vigil::{Ending, Next, Vigil},
};
use crate::{
    pipeline::{call::Call, credentials::Presented},
    problem::Problem,
};
use actix_web::{HttpResponse, http::header};
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, Closed, MessageStream, Session};
use palmares_domain::kernel::Code;
use std::future::Future;

/// A client from which nothing came for so many beats, not even an answer to our pings, is gone. So
/// is one that does not take what we send.
const SILENT_BEATS: u32 = 6;
/// Nobody has anything to say to us beyond a control frame.
const FRAME_MAX_BYTES: usize = 1024;

/// Whether the request asks for a WebSocket, and from where it may.
pub(super) fn asked_for(call: &Call<'_>) -> Result<bool, Problem> {
    let upgrade = call.header(header::UPGRADE.as_str());
    let asked = upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    if asked {
        check_origin(call)?;
    }
    Ok(asked)
}

/// Any page may open a WebSocket to us, and the browser sends our cookie along. It also says which
/// page that is, and only our own may.
fn check_origin(call: &Call<'_>) -> Result<(), Problem> {
    let Some(cookie) = Presented::in_request(call, call.services.gate.tokens()).ok().and_then(|presented| presented.cookie) else {
        return Ok(());
    };
    let origin = call.header("origin").map(|origin| origin.split_once("://").map_or(origin, |(_, authority)| authority));
    match (origin, call.header("host")) {
        (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host) => Ok(()),
        (Some(_), _) => Err(Problem::new(Code::AccessDenied, "gate.origin_foreign")),
        // Not a browser: then it can tell what only our own pages know.
        (None, _) => cookie.check_told(call),
    }
}

/// A handshake that was answered.
pub(super) struct Shaken {
    response: HttpResponse,
    session: Session,
    messages: MessageStream,
}

/// # Errors
/// A handshake that is not one.
pub(super) fn shake_hands(call: &mut Call<'_>) -> Result<Shaken, Problem> {
    let payload = call.payload.take().ok_or_else(|| Problem::internal(anyhow::anyhow!("the body was read before the handshake")))?;
    let shaken = actix_ws::handle(&call.request, payload).map_err(|error| {
        tracing::debug!(request_id = %call.request_id, %error, "a handshake was refused");
        Problem::invalid_field("Sec-WebSocket-Key", "websocket_handshake")
    });
    shaken.map(|(response, session, messages)| Shaken { response, session, messages })
}

impl Shaken {
    /// The answer; the conversation goes on behind it until either side ends it.
    pub fn converse(self, happenings: Happenings, vigil: Vigil) -> HttpResponse {
        let Self { response, session, messages } = self;
        actix_web::rt::spawn(async move {
            let closing = session.clone();
            if let Some(reason) = tell(happenings, vigil, session, messages).await {
                // Where it fails there is nobody left to tell.
                let _ = in_time(closing.close(Some(reason))).await;
            }
        });
        response
    }
}

/// Tells until the end; what to close with, where somebody is left to hear it.
async fn tell(mut happenings: Happenings, mut vigil: Vigil, mut session: Session, messages: MessageStream) -> Option<CloseReason> {
    let mut messages = messages.max_frame_size(FRAME_MAX_BYTES).aggregate_continuations().max_continuation_size(FRAME_MAX_BYTES);
    let mut silent_beats = 0;
    loop {
        let sent = tokio::select! {
            next = vigil.next(&mut happenings) => match next {
                Next::Tell(happening) => in_time(session.text(happening.data)).await,
                Next::LookAgain => {
                    if let Err(ending) = vigil.look_again().await {
                        return ending.close_reason();
                    }
                    silent_beats += 1;
                    if silent_beats > SILENT_BEATS {
                        return None;
                    }
                    in_time(session.ping(b"")).await
                }
                Next::End(ending) => return ending.close_reason(),
            },
            message = messages.recv() => {
                silent_beats = 0;
                match message?.ok()? {
                    AggregatedMessage::Ping(payload) => in_time(session.pong(&payload)).await,
                    AggregatedMessage::Pong(_) => Some(()),
                    AggregatedMessage::Close(reason) => return Some(reason.unwrap_or(CloseCode::Normal.into())),
                    AggregatedMessage::Text(_) | AggregatedMessage::Binary(_) => return Some(CloseCode::Unsupported.into()),
                }
            }
        };
        sent?;
    }
}

/// Waits for a client that is slow to take what we send; `None` where it does not take it.
async fn in_time(sending: impl Future<Output = Result<(), Closed>>) -> Option<()> {
    tokio::time::timeout(BEAT * SILENT_BEATS, sending).await.ok()?.ok()
}

impl Ending {
    fn close_reason(self) -> Option<CloseReason> {
        Some(match self {
            Ending::Stopping => CloseCode::Away.into(),
            Ending::Refused(reason) => (CloseCode::Policy, reason).into(),
            Ending::BrokeOff => CloseCode::Error.into(),
        })
    }
}
