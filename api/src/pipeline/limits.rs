//! Rate limits: by address before anything is read, then by organization, user and route class.

use super::{
    quotas::Quotas,
    route::Throttle,
    settings::{Allowance, Allowances, RateLimits},
};
use crate::problem::Problem;
use chrono::Utc;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use palmares_domain::{
    identity::api_key::Quota as UsagePlan,
    kernel::{Code, OrganizationId, UserId},
};
use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
};

/// Counts requests by who sent them.
pub struct Limiter {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    doors: DefaultKeyedRateLimiter<IpAddr>,
    users: Classes<(OrganizationId, UserId)>,
    organizations: Classes<OrganizationId>,
    plans: Quotas,
}

impl Limiter {
    pub fn new(limits: &RateLimits) -> Self {
        Self {
            addresses: RateLimiter::keyed(quota(limits.ip)),
            doors: RateLimiter::keyed(quota(limits.door)),
            users: Classes::new(&limits.user),
            organizations: Classes::new(&limits.organization),
            plans: Quotas::default(),
        }
    }

    /// Before anything is known of the caller.
    pub fn address(&self, address: IpAddr) -> Result<(), Problem> {
        check(&self.addresses, &network(address), "gate.rate_limited_ip")
    }

    /// Before a door, where nobody is known (E-99).
    pub fn door(&self, address: IpAddr) -> Result<(), Problem> {
        check(&self.doors, &network(address), "gate.rate_limited_ip")
    }

    /// Once the caller is known. The user is asked first: one who asks too much does not use up
    /// what the organization has left.
    pub fn caller(&self, organization: OrganizationId, user: UserId, class: Throttle) -> Result<(), Problem> {
        check(self.users.of(class), &(organization, user), "gate.rate_limited_user")?;
        check(self.organizations.of(class), &organization, "gate.rate_limited_organization")
    }

    /// By the usage plan of a program's key, asked last: what is refused for another reason uses nothing of it.
    pub fn plan(&self, organization: OrganizationId, key: UserId, plan: UsagePlan) -> Result<(), Problem> {
        self.plans.take((organization, key), plan, Utc::now())
    }

    /// Forgets who has not asked for a while, so that memory follows the present callers.
    pub fn forget_idle(&self) {
        self.addresses.retain_recent();
        self.doors.retain_recent();
        self.users.forget_idle();
        self.organizations.forget_idle();
        self.plans.forget_idle(Utc::now());
    }
}

struct Classes<K: Hash + Eq + Clone> {
    read: DefaultKeyedRateLimiter<K>,
    write: DefaultKeyedRateLimiter<K>,
    bulk: DefaultKeyedRateLimiter<K>,
    export: DefaultKeyedRateLimiter<K>,
}

impl<K: Hash + Eq + Clone> Classes<K> {
    fn new(allowances: &Allowances) -> Self {
        let limiter = |class| RateLimiter::keyed(quota(allowances.of(class)));
        Self {
            read: limiter(Throttle::Read),
            write: limiter(Throttle::Write),
            bulk: limiter(Throttle::Bulk),
            export: limiter(Throttle::Export),
        }
    }

    fn of(&self, class: Throttle) -> &DefaultKeyedRateLimiter<K> {
        match class {
            Throttle::Read => &self.read,
            Throttle::Write => &self.write,
            Throttle::Bulk => &self.bulk,
            Throttle::Export => &self.export,
        }
    }

    fn forget_idle(&self) {
        for limiter in [&self.read, &self.write, &self.bulk, &self.export] {
            limiter.retain_recent();
        }
    }
}

fn quota(allowance: Allowance) -> Quota {
    // A period of zero is no period; the allowance is then per second.
    let all_at_once = Quota::per_second(allowance.requests);
    Quota::with_period(allowance.per / allowance.requests.get()).map_or(all_at_once, |quota| quota.allow_burst(allowance.requests))
}

fn check<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K, reason: &'static str) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|early| {
        let wait = early.wait_time_from(DefaultClock::default().now());
        Problem::new(Code::RateLimited, reason).retry_after(wait)
    })
}

/// Whoever has an IPv6 address has a /64 of them, so the /64 is counted.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << 64;
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn limits(requests: u32) -> RateLimits {
        let few = Allowance::new(requests, Duration::from_secs(300));
        let many = Allowance::new(100, Duration::from_secs(300));
        let all = Allowances { read: few, write: many, bulk: many, export: many };
        RateLimits { ip: few, door: few, user: all, organization: Allowances { read: many, ..all } }
    }

    #[test]
    fn an_address_has_its_allowance_and_no_more() {
        let limiter = Limiter::new(&limits(3));
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..3 {
            limiter.address(address("203.0.113.7")).unwrap();
        }
        let refused = limiter.address(address("203.0.113.7")).unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        assert!(refused.retry_after.is_some_and(|wait| wait <= Duration::from_secs(100)));
        assert!(limiter.address(address("::ffff:203.0.113.7")).is_err(), "the same address in IPv6 dress is another one");
        limiter.address(address("203.0.113.8")).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_caller() {
        let limiter = Limiter::new(&limits(1));
        limiter.address("2001:db8::1".parse().unwrap()).unwrap();
        assert!(limiter.address("2001:db8::2".parse().unwrap()).is_err());
        limiter.address("2001:db8:0:1::1".parse().unwrap()).unwrap();
    }

    #[test]
    fn classes_and_users_are_counted_apart() {
        let limiter = Limiter::new(&limits(1));
        let (one, two) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        limiter.caller(ACME, one, Throttle::Read).unwrap();
        assert_eq!(limiter.caller(ACME, one, Throttle::Read).unwrap_err().reason, "gate.rate_limited_user");
        limiter.caller(ACME, one, Throttle::Write).unwrap();
        limiter.caller(ACME, two, Throttle::Read).unwrap();
    }

    #[test]
    fn an_organization_has_an_allowance_of_its_own() {
        let mut limits = limits(100);
        limits.organization.read = Allowance::new(2, Duration::from_secs(300));
        let limiter = Limiter::new(&limits);
        for user in 1..=2 {
            limiter.caller(ACME, UserId(Uuid::from_u128(user)), Throttle::Read).unwrap();
        }
        let refused = limiter.caller(ACME, UserId(Uuid::from_u128(3)), Throttle::Read).unwrap_err();
        assert_eq!(refused.reason, "gate.rate_limited_organization");
    }
}
