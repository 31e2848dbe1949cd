//! The generic handler of streams: gate, then bytes as they come, in constant memory.

use super::{
    body,
    call::{Answer, Call},
    command,
    gate::Terms,
    query::require_ids,
    server::Services,
};
use crate::problem::Problem;
use actix_web::HttpResponse;
use bytes::Bytes;
use futures::{StreamExt, future, stream::BoxStream};
use palmares_domain::kernel::{Admitted, Tenant, UserId};
use serde::de::DeserializeOwned;
use std::future::Future;
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

    /// The position behind which it begins, which the record of the access tells.
    fn start(&self, tenant: Tenant, services: &Services) -> impl Future<Output = Result<i64, Problem>>;

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
    Ok(answer::<S>(S::open(admitted, Stretch { after, recorded }, services), services, call.request_id))
}

fn answer<S: Streaming>(stream: Bytestream, services: &Services, request_id: uuid::Uuid) -> HttpResponse {
    let mut stop = services.stop.clone();
    let pieces = stream
        .inspect(move |piece| {
            if let Err(error) = piece {
                tracing::error!(%request_id, error = format!("{error:#}"), "a stream broke off");
            }
        })
        .take_while(|piece| future::ready(piece.is_ok()))
        .take_until(Box::pin(async move { stop.stopped().await }));
    HttpResponse::Ok().content_type(S::MEDIA_TYPE).streaming(pieces)
}
