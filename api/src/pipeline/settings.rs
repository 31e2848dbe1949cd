//! What an operator may set about the gate.

use super::route::Throttle;
use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

/// So many requests in so much time.
///
/// A caller may spend the whole allowance at once and gets it back at an even rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub requests: NonZeroU32,
    pub per: Duration,
}

impl Allowance {
    /// `requests` in `per`; at least one.
    pub const fn new(requests: u32, per: Duration) -> Self {
        let requests = match NonZeroU32::new(requests) {
            Some(requests) => requests,
            None => NonZeroU32::MIN,
        };
        Self { requests, per }
    }

    const fn per_minute(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(60))
    }
}

/// An allowance for each class of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowances {
    pub read: Allowance,
    pub write: Allowance,
    pub bulk: Allowance,
    pub export: Allowance,
}

impl Allowances {
    fn times(self, factor: u32) -> Self {
        let times = |allowance: Allowance| Allowance::new(allowance.requests.get().saturating_mul(factor), allowance.per);
        Self { read: times(self.read), write: times(self.write), bulk: times(self.bulk), export: times(self.export) }
    }

    pub fn of(&self, class: Throttle) -> Allowance {
        match class {
            Throttle::Read => self.read,
            Throttle::Write => self.write,
            Throttle::Bulk => self.bulk,
            Throttle::Export => self.export,
        }
    }
}

/// How often anyone may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// For one address, whoever asks: 2,000 in five minutes (B.6).
    pub ip: Allowance,
    /// For one address at the doors: to sign in, to answer an invitation (E-99).
    pub door: Allowance,
    pub user: Allowances,
    pub organization: Allowances,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            ip: Allowance::new(2_000, Duration::from_secs(300)),
            door: Allowance::new(100, Duration::from_secs(300)),
            user: Allowances {
                read: Allowance::per_minute(3_000),
                write: Allowance::per_minute(1_500),
                bulk: Allowance::per_minute(300),
                export: Allowance::per_minute(60),
            },
            organization: Allowances {
                read: Allowance::per_minute(60_000),
                write: Allowance::per_minute(30_000),
                bulk: Allowance::per_minute(3_000),
                export: Allowance::per_minute(300),
            },
        }
    }
}

impl RateLimits {
    /// The default with another allowance per address. Whoever allows an address more than usual
    /// allows users and organizations more by the same factor, or they would be the limit.
    pub fn with_ip_requests(requests: u32) -> Self {
        let usual = Self::default();
        let factor = (requests / usual.ip.requests).max(1);
        let door = Allowance::new(usual.door.requests.get().saturating_mul(factor), usual.door.per);
        Self {
            ip: Allowance::new(requests, usual.ip.per),
            door,
            user: usual.user.times(factor),
            organization: usual.organization.times(factor),
        }
    }
}

/// What stands between us and the clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// How many proxies append to `X-Forwarded-For`; with none, the header is not believed.
    pub trusted_hops: u8,
    /// Clients speak TLS to the proxy, so HSTS may be promised to them.
    pub tls: bool,
}

/// Settings of the gate and the server before it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Loopback unless told otherwise; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Threads that serve; `None` for one per core.
    pub workers: Option<usize>,
    /// The largest body of a route that does not say otherwise.
    pub body_max_bytes: usize,
    pub limits: RateLimits,
    pub proxy: Proxy,
    /// How long running requests may take to end when the server stops.
    pub shutdown_patience: Duration,
    /// How long requests without an answer are held open for `Prefer: wait` at most.
    pub wait_max: Duration,
}

impl Settings {
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            workers: None,
            body_max_bytes: 1024 * 1024,
            limits: RateLimits::default(),
            proxy: Proxy::default(),
            shutdown_patience: Duration::from_secs(10),
            wait_max: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_limit_per_address_lifts_the_others() {
        let (usual, lower, higher) = (RateLimits::default(), RateLimits::with_ip_requests(20), RateLimits::with_ip_requests(200_000));
        assert_eq!((lower.ip.requests.get(), lower.user), (20, usual.user));
        assert_eq!(higher.user.write.requests.get(), usual.user.write.requests.get() * 100);
        assert_eq!(RateLimits::with_ip_requests(0).ip.requests.get(), 1);
        assert_eq!(RateLimits::with_ip_requests(u32::MAX).organization.read.requests.get(), u32::MAX);
    }
}
