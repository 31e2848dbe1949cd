//! How often anyone may try to be somebody (E-99): counted by who is meant, known or not, so that the
//! count tells nothing.

use crate::problem::Problem;
use aws_lc_rs::digest;
use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use palmares_domain::kernel::{Code, OrganizationId, UserId};
use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    time::Duration,
};

const HERE: NonZeroU32 = NonZeroU32::new(10).unwrap();
const EVERYWHERE: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// Text messages cost money, and may go to a stranger: so many to one number, and how fast they come back.
const TEXTS: NonZeroU32 = NonZeroU32::new(6).unwrap();
const TEXTS_PERIOD: Duration = Duration::from_secs(60 * 60);
/// What anyone can have recorded by calling themselves what nobody is called has a bound for each organization: a
/// flood is counted by its networks, and fills no log.
const STRANGERS: NonZeroU32 = NonZeroU32::new(60).unwrap();
const STRANGERS_PERIOD: Duration = Duration::from_secs(60 * 60);
/// An allowance comes back in this time, at an even rate.
const PERIOD: Duration = Duration::from_secs(15 * 60);

/// Who is meant and by which means, as a hash: memory holds no addresses.
pub(super) type Meant = [u8; 32];

/// Counts attempts on this node.
pub struct Attempts {
    /// From one address: few, so that guessing is slow.
    here: DefaultKeyedRateLimiter<(Meant, IpAddr)>,
    /// From all addresses together: more, so that a stranger cannot easily keep a member out.
    everywhere: DefaultKeyedRateLimiter<Meant>,
    texts: DefaultKeyedRateLimiter<Meant>,
    strangers: DefaultKeyedRateLimiter<OrganizationId>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            here: RateLimiter::keyed(quota(HERE, PERIOD)),
            everywhere: RateLimiter::keyed(quota(EVERYWHERE, PERIOD)),
            texts: RateLimiter::keyed(quota(TEXTS, TEXTS_PERIOD)),
            strangers: RateLimiter::keyed(quota(STRANGERS, STRANGERS_PERIOD)),
        }
    }
}

impl Attempts {
    /// Counts an attempt by some means (`password`, `code`, …) on what the parts name.
    ///
    /// # Errors
    /// `RATE_LIMITED` once there were too many, with the time to wait.
    pub fn count(&self, address: IpAddr, means: &str, parts: &[&str]) -> Result<(), Problem> {
        let meant = meant(means, parts);
        let early = self.here.check_key(&(meant, address)).and_then(|()| self.everywhere.check_key(&meant));
        early.map_err(too_many)
    }

    /// Counts a text message that somebody has sent to a number.
    ///
    /// # Errors
    /// `RATE_LIMITED` once there were too many, with the time to wait.
    pub fn count_text(&self, number: &str) -> Result<(), Problem> {
        self.texts.check_key(&meant("text", &[number])).map_err(too_many)
    }

    /// Whether a failure of whom an organization does not know is recorded there: up to 60 an hour are.
    pub fn records_stranger(&self, organization: OrganizationId) -> bool {
        self.strangers.check_key(&organization).is_ok()
    }

    /// Counts an attempt of somebody who is in already, to prove it again.
    ///
    /// # Errors
    /// `RATE_LIMITED` once there were too many, with the time to wait.
    pub fn count_own(&self, means: &str, user: UserId) -> Result<(), Problem> {
        self.count(Ipv4Addr::UNSPECIFIED.into(), means, &[&user.to_string()])
    }

    /// Forgets what nobody tries any more.
    pub fn forget_idle(&self) {
        self.here.retain_recent();
        self.everywhere.retain_recent();
        self.texts.retain_recent();
        self.strangers.retain_recent();
    }
}

fn too_many(early: NotUntil<<DefaultClock as Clock>::Instant>) -> Problem {
    let wait = early.wait_time_from(DefaultClock::default().now());
    Problem::new(Code::RateLimited, "sign_in.too_many_attempts").retry_after(wait)
}

fn quota(attempts: NonZeroU32, period: Duration) -> Quota {
    let at_least = Quota::per_second(attempts);
    Quota::with_period(period / attempts.get()).map_or(at_least, |quota| quota.allow_burst(attempts))
}

pub(super) fn meant(means: &str, parts: &[&str]) -> Meant {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in std::iter::once(&means).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut meant = [0; 32];
    meant.copy_from_slice(context.finish().as_ref());
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(203, 0, 113, last).into()
    }

    #[test]
    fn one_address_tries_one_person_ten_times() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            attempts.count(address(1), "password", &["acme", "ann@acme.example"]).unwrap();
        }
        let refused = attempts.count(address(1), "password", &["acme", "ann@acme.example"]).unwrap_err();
        assert_eq!((refused.code, refused.reason.as_ref()), (Code::RateLimited, "sign_in.too_many_attempts"));
        assert!(refused.retry_after.is_some());
        attempts.count(address(2), "password", &["acme", "ann@acme.example"]).unwrap();
        attempts.count(address(1), "password", &["acme", "bob@acme.example"]).unwrap();
        attempts.count(address(1), "code", &["acme", "ann@acme.example"]).unwrap();
    }

    // covers: E-188
    #[test]
    fn a_flood_of_strangers_is_recorded_sixty_times_in_each_organization() {
        let attempts = Attempts::default();
        let recorded =
            |organization| (0..500).filter(|_| attempts.records_stranger(OrganizationId(uuid::Uuid::from_u128(organization)))).count();
        assert_eq!((recorded(1), recorded(2), recorded(1)), (60, 60, 0));
    }

    #[test]
    fn many_addresses_try_one_person_fifty_times() {
        let attempts = Attempts::default();
        for last in 0..50 {
            attempts.count(address(last), "password", &["acme", "ann@acme.example"]).unwrap();
        }
        assert!(attempts.count(address(50), "password", &["acme", "ann@acme.example"]).is_err());
    }
}
