//! The generic handler of what happens as it happens: server-sent events, or a WebSocket where the
//! request asks for one (T-13, T-48).
//!
//! Both pass the gate as every request does, and as long as they are open the gate is asked again:
//! whoever signs out, is suspended or loses the right hears no more. A token that expires ends its
//! connection too; who comes back with `Last-Event-ID` or `after` misses nothing.

mod server_sent;
mod socket;
mod vigil;

use super::{
    body,
    call::{Answer, Call},
    gate::Terms,
    query::require_ids,
    server::Services,
};
use crate::problem::Problem;
use futures::stream::BoxStream;
use palmares_domain::kernel::{Admitted, Tenant};
use serde::de::DeserializeOwned;
use std::{future::Future, time::Duration};
use utoipa::ToSchema;
use vigil::Vigil;

pub(crate) use server_sent::MEDIA_TYPE;

/// So often the gate is asked again, and the other side told that we are there.
const BEAT: Duration = Duration::from_secs(5);

/// One thing that happened.
pub struct Happening {
    pub position: i64,
    pub name: String,
    /// JSON.
    pub data: String,
}

/// Things that happen, without end.
pub type Happenings = BoxStream<'static, anyhow::Result<Happening>>;

/// What to tell of as it happens. Its fields are the parameters of path and query.
pub trait Live: DeserializeOwned + ToSchema + Send + 'static {
    /// The position behind which it begins, which the record of the access tells. `last_event_id`
    /// is where a client that was cut off wants to go on.
    fn start(&self, tenant: Tenant, last_event_id: Option<&str>, services: &Services) -> impl Future<Output = Result<i64, Problem>>;

    /// What happens behind the position `after`.
    fn follow(admitted: Admitted<Self>, after: i64, services: &Services) -> Happenings;
}

/// Serves one connection.
pub async fn serve<L: Live>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    let entered = services.gate.enter(call).await?;
    require_ids(call)?;
    let request: L = body::parameters(&call.params, &call.query())?;
    let socket = socket::asked_for(call)?;
    let admitted = services.gate.admit(call, entered, None, Terms::default(), request).await?;
    let after = admitted.value().start(admitted.tenant(), call.header("last-event-id"), services).await?;
    let shaken = if socket { Some(socket::shake_hands(call)?) } else { None };
    services.gate.record_read(call, &admitted, None, Some(after)).await?;
    let vigil = Vigil::over(call)?;
    let happenings = L::follow(admitted, after, services);
    Ok(match shaken {
        Some(shaken) => shaken.converse(happenings, vigil),
        None => server_sent::answer(happenings, vigil),
    })
}
