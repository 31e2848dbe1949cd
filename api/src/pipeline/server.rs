//! The server: one service that dispatches by the table, and what it needs.

use super::{
    counters::RefusalCounters,
    gate::Gate,
    ports::Upkeep,
    progress::Progress,
    rim,
    route::Route,
    settings::Settings,
    table::{Overlap, Table},
};
use crate::dns::DnsResolver;
use crate::sign_in::Desk;
use actix_web::{App, HttpRequest, HttpServer, dev, middleware::Compress, web};
use metrics_exporter_prometheus::PrometheusHandle;
use palmares_commands::engine::Engine;
use palmares_domain::identity::Rights;
use palmares_projections::engine::{Readers, head::HeadSignal, stop::Stop};
use sqlx::PgPool;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};

/// What one needs to see who looked at what, and who was refused it.
pub const READ_AUDIT_LOG: &str = "compliance.audit_log.read";

/// Everything a request may need. Handlers read it; the gate alone grants.
pub struct Services {
    pub gate: Gate,
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub progress: Progress,
    pub upkeep: Arc<dyn Upkeep>,
    pub dns: Arc<dyn DnsResolver>,
    /// Where people sign in.
    pub desk: Desk,
    /// Wakes those who follow the log.
    pub head: Arc<HeadSignal>,
    pub metrics: PrometheusHandle,
    pub settings: Settings,
    /// Streams end when the process stops.
    pub stop: Stop,
    pub counters: RefusalCounters,
    pub(super) told: rim::Told,
    pub(crate) table: Table,
    pub(crate) routes: Vec<&'static Route>,
    pub(crate) openapi: String,
}

/// What the wiring puts in.
pub struct Parts {
    pub gate: Gate,
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub progress: Progress,
    pub upkeep: Arc<dyn Upkeep>,
    pub dns: Arc<dyn DnsResolver>,
    pub desk: Desk,
    pub head: Arc<HeadSignal>,
    pub metrics: PrometheusHandle,
    pub settings: Settings,
    pub stop: Stop,
    /// The rows to serve.
    pub routes: Vec<&'static Route>,
}

impl Services {
    /// Readers that show what these rights are cleared for.
    pub fn readers_for(&self, rights: &Rights) -> Readers {
        self.readers.cleared_for(rights.clearance()).showing_accesses(rights.permit(READ_AUDIT_LOG))
    }

    /// # Errors
    /// Routes of which two could fit one request.
    pub fn new(parts: Parts) -> Result<Arc<Self>, Overlap> {
        let Parts { gate, engine, readers, progress, upkeep, dns, desk, head, metrics, settings, stop, routes } = parts;
        Ok(Arc::new(Self {
            gate,
            engine,
            readers,
            progress,
            upkeep,
            dns,
            desk,
            head,
            metrics,
            settings,
            stop,
            counters: RefusalCounters::default(),
            told: rim::Told::default(),
            table: Table::new(routes.iter().copied())?,
            openapi: crate::openapi::document(&routes).to_string(),
            routes,
        }))
    }

    /// Writes counters and forgets idle callers until stopped. One such task runs beside the server;
    /// `committer` connects as `palmares_committer`, which request handlers never do.
    pub async fn keep_house(self: Arc<Self>, committer: PgPool) {
        const EXPIRE_EVERY: u32 = 1_200;
        let mut stop = self.stop.clone();
        for round in 0_u32.. {
            let going_on = stop.pause(super::counters::FLUSH_EVERY).await;
            if let Err(error) = self.counters.flush(&committer).await {
                tracing::warn!(%error, "refusal counters could not be written; they are kept for the next time");
            }
            if !going_on {
                return;
            }
            self.gate.limiter.forget_idle();
            self.desk.attempts.forget_idle();
            self.desk.abuse.forget_idle();
            if round % EXPIRE_EVERY == 0
                && let Err(error) = RefusalCounters::expire(&committer).await
            {
                tracing::warn!(%error, "old refusal counters could not be deleted");
            }
        }
    }
}

/// A bound server: it serves once `server` is awaited, and `server.handle()` stops it.
pub struct Bound {
    pub server: dev::Server,
    /// Where it listens; the port is the one it got where port 0 was asked for.
    pub address: SocketAddr,
}

/// Binds the server. Signals are the caller's affair.
///
/// # Errors
/// An address that cannot be bound, such as a port in use.
pub fn bind(services: &Arc<Services>) -> io::Result<Bound> {
    let settings = services.settings.clone();
    let services = web::Data::from(Arc::clone(services));
    #[expect(clippy::disallowed_methods, reason = "the one server, with the one service that dispatches by the table of routes")]
    let mut server =
        HttpServer::new(move || App::new().app_data(services.clone()).wrap(Compress::default()).default_service(web::to(serve)))
            .disable_signals()
            .shutdown_timeout(settings.shutdown_patience.as_secs())
            .client_request_timeout(Duration::from_secs(10));
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    let server = server.bind(settings.bind)?;
    let address = server.addrs().first().copied().unwrap_or(settings.bind);
    Ok(Bound { server: server.run(), address })
}

async fn serve(request: HttpRequest, payload: web::Payload, services: web::Data<Services>) -> actix_web::HttpResponse {
    rim::serve(request, payload, &services).await
}
