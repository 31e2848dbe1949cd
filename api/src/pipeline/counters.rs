//! Refusals of callers whose name is not known: counters per network, route, code and minute.

use crate::problem::name;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use palmares_domain::kernel::Code;
use sqlx::PgPool;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How often counts are written.
pub const FLUSH_EVERY: Duration = Duration::from_secs(3);

/// More networks than this between two flushes are counted together, so memory has a bound.
const NETWORKS_MAX: usize = 10_000;

const ADD: &str = "
    INSERT INTO gate_refusal_counters (minute, network, route, code, refusals)
    SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    ON CONFLICT (minute, network, route, code)
    DO UPDATE SET refusals = gate_refusal_counters.refusals + excluded.refusals";

const EXPIRE: &str = "DELETE FROM gate_refusal_counters WHERE minute < now() - interval '90 days'";

#[derive(Clone, PartialEq, Eq, Hash)]
struct Counter {
    minute: DateTime<Utc>,
    network: String,
    route: String,
    code: &'static str,
}

/// Counts in memory until they are flushed.
#[derive(Default)]
pub struct RefusalCounters {
    counts: Mutex<HashMap<Counter, i64>>,
}

impl RefusalCounters {
    /// One more refusal. `route` is a pattern, never a path that the caller made up.
    pub fn count(&self, address: IpAddr, route: &str, code: Code) {
        let minute = Utc::now();
        let minute = minute.duration_trunc(TimeDelta::minutes(1)).unwrap_or(minute);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let network = if counts.len() < NETWORKS_MAX { network(address) } else { "other".to_owned() };
        *counts.entry(Counter { minute, network, route: route.to_owned(), code: name(code) }).or_default() += 1;
    }

    /// Adds what was counted to the table. What cannot be written is kept for the next time.
    pub async fn flush(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let written = add(pool, &counts).await;
        if written.is_err() {
            let mut waiting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (counter, count) in counts.into_iter().take(NETWORKS_MAX) {
                *waiting.entry(counter).or_default() += count;
            }
        }
        written
    }

    /// Deletes counters past their 90 days.
    pub async fn expire(pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query(EXPIRE).execute(pool).await.map(drop)
    }
}

async fn add(pool: &PgPool, counts: &HashMap<Counter, i64>) -> Result<(), sqlx::Error> {
    // In one order everywhere, so that two nodes that flush at once do not deadlock.
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_unstable_by(|(a, _), (b, _)| (a.minute, &a.network, &a.route, a.code).cmp(&(b.minute, &b.network, &b.route, b.code)));
    let column = |of: fn(&Counter) -> &str| rows.iter().map(|(counter, _)| of(counter)).collect::<Vec<_>>();
    sqlx::query(ADD)
        .bind(rows.iter().map(|(counter, _)| counter.minute).collect::<Vec<_>>())
        .bind(column(|counter| &counter.network))
        .bind(column(|counter| &counter.route))
        .bind(column(|counter| counter.code))
        .bind(rows.iter().map(|(_, count)| **count).collect::<Vec<_>>())
        .execute(pool)
        .await
        .map(drop)
}

/// The network of an address: enough to see an attack, too little to name a person.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{}/24", Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(address) => format!("{}/48", Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_its_network() {
        for (address, expected) in
            [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::ffff:203.0.113.77", "203.0.113.0/24")]
        {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_flood_from_everywhere_has_a_bounded_count() {
        let counters = RefusalCounters::default();
        for host in 0..(NETWORKS_MAX as u32 + 500) {
            counters.count(IpAddr::V4(Ipv4Addr::from_bits(host << 8)), "GET /x", Code::AuthenticationFailed);
        }
        let counts = counters.counts.lock().unwrap();
        assert!(counts.len() <= NETWORKS_MAX + 2);
        assert_eq!(counts.values().sum::<i64>(), i64::from(NETWORKS_MAX as u32 + 500));
    }
}
