//! `palmares import postgres-es`: an existing table of postgres-es, into one organization's streams.
//!
//! Unlike a file it does not go through the API: these events were decided elsewhere, so there is no
//! command that could bring them. An operator runs it next to the database, as `migrate` is.

use crate::cli::{output::Reporter, settings::KeyStoreArgs};
use anyhow::{Context, bail};
use palmares_commands::{
    organizations::slug_claim,
    store::{
        EventStore, LoadRequest, StreamName,
        cqrs::import::{Import, Report, Source, Step},
        postgres::{PostgresStore, PostgresStoreOptions},
    },
};
use palmares_domain::{
    kernel::{Aggregate, OrganizationId, UserId, derive_uuid},
    organizations::organization::Organization,
};
use serde_json::json;
use std::sync::Arc;

#[derive(clap::Args)]
pub struct PostgresEsArgs {
    /// The database with the table: postgres://user:password@host/database
    #[arg(long, value_name = "DATABASE_URL")]
    from: String,
    /// The table, or a view with its columns; with its schema where that is not in the search path
    #[arg(long, default_value = "events")]
    table: String,
    /// The organization whose streams they become, by id or slug
    #[arg(long, value_name = "ID_OR_SLUG")]
    organization: String,
    /// PostgreSQL of Palmares, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[command(flatten)]
    keys: KeyStoreArgs,
    /// Your word that payloads and metadata hold no personal data
    ///
    /// They have no declared classes, so nothing in them is sealed, and what stands in clear in the
    /// log can never be erased. Without it nothing is imported.
    #[arg(long)]
    payloads_hold_no_personal_data: bool,
}

/// Runs the import; the answer says whether every event was taken.
pub async fn run(args: &PostgresEsArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    if !args.payloads_hold_no_personal_data {
        bail!(
            "events of postgres-es are stored in clear and can never be erased: look whether they hold personal data, and if they do not, \
             say so with --payloads-hold-no-personal-data; if some do, name a view without them as --table"
        );
    }
    let connect = args.database_url.parse().context("DATABASE_URL is no address of a PostgreSQL database")?;
    let options = PostgresStoreOptions::new(connect).vouched_by(args.keys.voucher_key().await?);
    let store: Arc<dyn EventStore> = Arc::new(PostgresStore::open(options).await.context("opening the event store")?);
    let organization = organization(store.as_ref(), &args.organization).await?;
    let mut source = Source::open(&args.from, &args.table).await.with_context(|| format!("reading `{}`", args.table))?;
    let actor = UserId(derive_uuid("system", &[b"import.postgres-es"]));

    let progress = reporter.progress("events", source.count_events().await?);
    let mut tell = |step: Step| match step {
        Step::Done(events) => progress.advance(events),
        Step::Refused { aggregate, events, reason } => {
            let (aggregate_type, id) = (&aggregate.aggregate_type, &aggregate.aggregate_id);
            let sentence = format!("{aggregate_type} {id}: {events} events refused, {reason}");
            reporter.say(&sentence, || {
                json!({
                    "event": "refused", "aggregate_type": aggregate_type, "aggregate_id": id, "events": events,
                    "reason": reason.to_string(),
                })
            });
        }
    };
    let report = Import { store, organization, actor }.run(&mut source, &mut tell).await;
    let report = report.context("the import stopped; run it again to go on")?;
    drop(progress);
    say(&report, organization, reporter);
    Ok(report.refused == 0)
}

fn say(report: &Report, organization: OrganizationId, reporter: &Reporter) {
    let Report { aggregates, accepted, duplicate, refused, position } = *report;
    let events = accepted + duplicate + refused;
    let nothing_new = if accepted == 0 { ": nothing new" } else { "" };
    let sentence =
        format!("{events} events of {aggregates} aggregates{nothing_new}: {accepted} accepted, {duplicate} duplicate, {refused} refused");
    reporter.say(&sentence, || {
        json!({
            "event": "report", "organization_id": organization, "aggregates": aggregates, "events": events, "accepted": accepted,
            "duplicate": duplicate, "refused": refused, "position": position,
        })
    });
}

/// The organization of an id or a slug, if there is one.
async fn organization(store: &dyn EventStore, id_or_slug: &str) -> anyhow::Result<OrganizationId> {
    let unknown = || format!("there is no organization `{id_or_slug}`");
    let id = match id_or_slug.parse() {
        Ok(id) => id,
        Err(_) => OrganizationId(store.claim(slug_claim(id_or_slug)).await?.with_context(unknown)?.owner),
    };
    let stream = StreamName { organization: id, stream_type: Organization::TYPE, id: id.0 };
    let loaded = store.load(LoadRequest { stream, shape: Organization::SHAPE, with_sealed: false }).await?;
    loaded.handle.map(|_| id).with_context(unknown)
}
