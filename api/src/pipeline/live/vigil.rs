//! The watch over an open connection: whether the gate would still open it.

use super::{BEAT, Happening, Happenings};
use crate::{
    pipeline::{call::Call, route::Route, server::Services, table::Params},
    problem::{Language, Problem},
};
use actix_web::{HttpRequest, web};
use futures::StreamExt;
use palmares_projections::engine::stop::Stop;
use std::net::IpAddr;
use tokio::time::{Interval, MissedTickBehavior};
use uuid::Uuid;

/// What a connection was opened with, and when to look at it again.
pub(super) struct Vigil {
    services: web::Data<Services>,
    request: HttpRequest,
    route: &'static Route,
    pattern: &'static str,
    params: Params,
    pub(super) request_id: Uuid,
    correlation_id: Uuid,
    language: Language,
    address: IpAddr,
    beats: Interval,
    stop: Stop,
}

/// What to do next on a connection.
pub(super) enum Next {
    Tell(Happening),
    LookAgain,
    End(Ending),
}

/// Why a connection ends from our side.
#[derive(Debug)]
pub(super) enum Ending {
    /// The server stops.
    Stopping,
    /// The gate would not open it now, for this reason.
    Refused(String),
    BrokeOff,
}

impl Vigil {
    pub fn over(call: &Call<'_>) -> Result<Self, Problem> {
        let services = call.request.app_data::<web::Data<Services>>().cloned();
        let services = services.ok_or_else(|| Problem::internal(anyhow::anyhow!("the server serves without its services")))?;
        let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            stop: services.stop.clone(),
            services,
            request: call.request.clone(),
            route: call.route,
            pattern: call.pattern,
            params: call.params.clone(),
            request_id: call.request_id,
            correlation_id: call.correlation_id,
            language: call.language,
            address: call.address,
            beats,
        })
    }

    /// What comes next. Whoever waits for something else beside may drop this, and nothing is lost.
    pub async fn next(&mut self, happenings: &mut Happenings) -> Next {
        tokio::select! {
            () = self.stop.stopped() => Next::End(Ending::Stopping),
            _ = self.beats.tick() => Next::LookAgain,
            happening = happenings.next() => match happening {
                Some(Ok(happening)) => Next::Tell(happening),
                Some(Err(error)) => {
                    tracing::error!(request_id = %self.request_id, error = format!("{error:#}"), "a stream broke off");
                    Next::End(Ending::BrokeOff)
                }
                None => Next::End(Ending::Stopping),
            },
        }
    }

    /// Asks the gate again.
    ///
    /// # Errors
    /// Why the connection may not stay open.
    pub async fn look_again(&self) -> Result<(), Ending> {
        let Self { services, request, route, pattern, params, request_id, correlation_id, language, address, .. } = self;
        let mut call = Call {
            services,
            request: request.clone(),
            payload: None,
            route,
            pattern,
            params: params.clone(),
            request_id: *request_id,
            correlation_id: *correlation_id,
            language: *language,
            address: *address,
            caller: None,
            placed: None,
        };
        services.gate.look_again(&mut call).await.map_err(|problem| {
            let (_, reason, _) = problem.as_recorded();
            tracing::debug!(%request_id, reason, "a connection is closed that would not be opened now");
            Ending::Refused(reason.to_owned())
        })
    }
}
