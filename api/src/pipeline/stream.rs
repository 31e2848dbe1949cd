//! The generic handler of streams: gate, then bytes as they come, in constant memory.

use super::{
    body,
    call::{Answer, Call},
    command,
    gate::Terms,
    ports::{Access, AccessLog, TakenOut},
    query::require_ids,
    server::Services,
};
use crate::problem::Problem;
use actix_web::{HttpResponse, http::header::ContentDisposition};
use bytes::Bytes;
use futures::{
    Stream, StreamExt, future,
    stream::{self, BoxStream},
};
use palmares_domain::{
    identity::Rights,
    kernel::{Admitted, Tenant, UserId},
};
use serde::de::DeserializeOwned;
use std::{future::Future, sync::Arc};
use utoipa::ToSchema;

/// Bytes as they come. An error ends the stream and is logged.
pub type Bytestream = BoxStream<'static, anyhow::Result<Bytes>>;

/// An answer too long for memory. Its fields are the parameters of path and query.
pub trait Streaming: DeserializeOwned + ToSchema + Send + 'static {
    const MEDIA_TYPE: &'static str;
    /// The projections that have to know what was recorded before it, for it to be whole.
    const PROJECTIONS: &'static [&'static str] = &[];

    /// The user whose data it is, where it is one person's.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// Whether it leaves nothing of the organization's history out of what it shows to whoever has these
    /// rights. Once such a one was handed over to its end, that is on record.
    fn is_whole(&self, _: &Rights) -> bool {
        false
    }

    /// The position behind which it begins, which the record of the access tells.
    fn start(&self, tenant: Tenant, services: &Services) -> impl Future<Output = Result<i64, Problem>>;

    /// What a program saves it as, where it is a file of its own.
    fn file_name(&self, _: Tenant, _: &Services) -> impl Future<Output = Result<Option<String>, Problem>> {
        future::ready(Ok(None))
    }

    fn open(admitted: Admitted<Self>, stretch: Stretch, services: &Services) -> Bytestream;
}

/// The part of the log that a stream is about.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// It begins behind this position.
    pub after: i64,
    /// Where it was recorded that somebody took it out: of a repeated one, where the first was.
    pub recorded: i64,
}

/// Serves one stream.
pub async fn serve<S: Streaming>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    let entered = services.gate.enter(call).await?;
    require_ids(call)?;
    let request: S = body::parameters(&call.params, &call.query())?;
    let owner = request.owner();
    let asked = call.params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).chain(call.query());
    let asked = asked.map(|(name, value)| (name, value.into())).collect();
    let idempotency = command::idempotency(call, &entered, call.route_name().as_str(), &asked)?;
    let admitted = services.gate.admit(call, entered, owner, Terms { idempotency, ..Terms::default() }, request).await?;
    let after = admitted.value().start(admitted.tenant(), services).await?;
    let recorded = services.gate.record_read(call, &admitted, owner, Some(after)).await?;
    services.progress.reach(S::PROJECTIONS, recorded - 1, services.settings.wait_max).await?;
    let file_name = admitted.value().file_name(admitted.tenant(), services).await?;
    let taken = taken_out(call, &admitted, recorded);
    let stream = S::open(admitted, Stretch { after, recorded }, services);
    let stream = match taken {
        Some(taken) => to_its_end(stream, services.gate.access_log.clone(), taken),
        None => stream,
    };
    Ok(answer::<S>(stream, file_name, services, call.request_id))
}

/// What is to be recorded once an export of everything is over; nothing of any other one.
fn taken_out<S: Streaming>(call: &Call<'_>, admitted: &Admitted<S>, exported_position: i64) -> Option<TakenOut> {
    let admission = admitted.admission();
    let access = call.access().filter(|_| admitted.value().is_whole(&admission.rights))?;
    let access = Access { organization: admission.organization, ..access };
    Some(TakenOut { access, exported_position, size_bytes: 0, policies: admission.policies.clone() })
}

/// The same stream, with the record that it was handed over behind its last piece. One that breaks off was not.
fn to_its_end(stream: Bytestream, log: Arc<dyn AccessLog>, taken: TakenOut) -> Bytestream {
    let pieces = stream::unfold(Some((stream, log, taken)), |left| async {
        let (mut stream, log, mut taken) = left?;
        match stream.next().await {
            Some(Ok(piece)) => {
                taken.size_bytes += i64::try_from(piece.len()).unwrap_or(i64::MAX);
                Some((Ok(piece), Some((stream, log, taken))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => log.taken_out(taken).await.err().map(|error| (Err(error), None)),
        }
    });
    pieces.boxed()
}

fn answer<S: Streaming>(stream: Bytestream, file_name: Option<String>, services: &Services, request_id: uuid::Uuid) -> HttpResponse {
    let mut stop = services.stop.clone();
    let pieces = whole(stream, async move { stop.stopped().await }).inspect(move |piece| {
        if let Err(error) = piece {
            tracing::error!(%request_id, error = format!("{error:#}"), "a stream broke off");
        }
    });
    let mut response = HttpResponse::Ok();
    if let Some(file_name) = file_name {
        response.insert_header(ContentDisposition::attachment(file_name));
    }
    response.content_type(S::MEDIA_TYPE).streaming(pieces)
}

/// The pieces up to the last one, or to an error. The error goes on to the server, which breaks the connection
/// off: an answer that lacks its end shall not look like one that is whole.
fn whole(stream: Bytestream, stopped: impl Future<Output = ()> + 'static) -> impl Stream<Item = anyhow::Result<Bytes>> {
    let end = stream::once(future::ready(None));
    let stopped = stream::once(async move {
        stopped.await;
        Some(Err(anyhow::anyhow!("the server stops")))
    });
    let pieces = stream::select(stream.map(Some).chain(end), Box::pin(stopped));
    // Behind an error there is nothing to wait for.
    let ending = pieces.flat_map(|piece| {
        let broken = matches!(piece, Some(Err(_)));
        stream::iter(std::iter::once(piece).chain(broken.then_some(None)))
    });
    ending.take_while(|piece| future::ready(piece.is_some())).filter_map(future::ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(pieces: Vec<anyhow::Result<Bytes>>, stopped: impl Future<Output = ()> + 'static) -> Vec<String> {
        let stream: Bytestream = stream::iter(pieces).boxed();
        let told =
            |piece: anyhow::Result<Bytes>| piece.map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into());
        whole(stream, stopped).map(told).collect().await
    }

    fn piece(text: &'static str) -> anyhow::Result<Bytes> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_says_so_and_a_whole_one_ends() {
        assert_eq!(told(vec![piece("a"), piece("b")], future::pending()).await, ["a", "b"]);
        let broken = vec![piece("a"), Err(anyhow::anyhow!("gone")), piece("b")];
        assert_eq!(told(broken, future::pending()).await, ["a", "gone"]);
    }

    #[tokio::test]
    async fn a_server_that_stops_breaks_its_streams_off() {
        let never: Bytestream = stream::pending().boxed();
        let pieces: Vec<_> = whole(never, future::ready(())).collect().await;
        assert!(matches!(&pieces[..], [Err(error)] if error.to_string() == "the server stops"));
    }
}
