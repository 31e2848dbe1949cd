//! The main measurement: place a hold on one of many accounts.

use crate::Plan;
use crate::bare::Bare;
use crate::load::closed_loop;
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::server::Server;
use crate::vanilla::Vanilla;
use crate::world::World;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;

/// The systems of a round.
const SYSTEMS: usize = 3;

pub async fn measure(server: &Server, world: &Arc<World>, plan: &Plan) -> anyhow::Result<()> {
    let mut bare = Bare::open(server, world).await?;
    let vanilla = Vanilla::open(server, world).await?;
    let palmares = Palmares::open(server, world).await?;
    palmares.warm().await?;
    let mut rows = Vec::new();
    for run in 0..plan.runs {
        for (index, callers) in plan.callers.iter().copied().enumerate() {
            // Which system comes first changes with every round.
            for turn in 0..SYSTEMS {
                let system = (turn + run + index) % SYSTEMS;
                if system != 2 || index == 0 {
                    server.run("CHECKPOINT").await?;
                }
                // Numbers of a round are its own, so that every round draws other accounts.
                let round = ((run * plan.callers.len() + index) as u64) << 56;
                match system {
                    0 => {
                        let palmares = palmares.clone();
                        let command = move |number| {
                            let palmares = palmares.clone();
                            async move { palmares.place_hold(round | number, With::Nothing).await }
                        };
                        rows.push(Row::of("palmares", callers, closed_loop(callers, plan.span, command).await?));
                    }
                    1 => {
                        let vanilla = vanilla.clone();
                        let command = move |number| {
                            let vanilla = vanilla.clone();
                            async move { vanilla.place_hold(round | number).await }
                        };
                        rows.push(Row::of("postgres-es", callers, closed_loop(callers, plan.span, command).await?));
                    }
                    // One connection, however many callers there are: measured once in a run.
                    _ if index == 0 => {
                        rows.push(Row::of("batched-insert", 1, bare.batched_insert(plan.span).await?));
                        rows.push(Row::of("copy", 1, bare.copy(plan.span).await?));
                    }
                    _ => {}
                }
            }
        }
    }
    results::write("store", &results::medians(&rows))?;
    print_widths(server).await
}

/// Shows that the systems write rows of one width.
async fn print_widths(server: &Server) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(&server.options()).await?;
    for (table, event_type) in
        [("public.events", "points.hold_placed"), ("vanilla.events", "points.hold_placed"), ("bare.events", "points.hold_placed")]
    {
        let widths = format!(
            "SELECT coalesce(avg(octet_length(payload::text)), 0)::float8, coalesce(avg(octet_length(metadata::text)), 0)::float8, count(*)
             FROM (SELECT * FROM {table} WHERE event_type = '{event_type}' LIMIT 1000) t"
        );
        let widths = if table == "vanilla.events" { widths } else { widths.replace("::text", "") };
        let (payload, metadata, _): (f64, f64, i64) = sqlx::query_as(&widths).fetch_one(&mut connection).await?;
        println!("{table}: payload {payload:.0} bytes, metadata {metadata:.0} bytes");
    }
    connection.close().await?;
    Ok(())
}
