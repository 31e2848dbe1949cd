//! When guessing is suspected: then whoever signs in has to solve a challenge first (E-100).
//!
//! Failures are counted by what was typed and by where from, before anybody looks who is meant. So somebody
//! who is not here, who may not sign in or whose password is wrong is asked for the challenge at the same moment.

use super::attempts::{Meant, meant};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many failures on one person are more than slips, wherever they come from: guesses of one password.
const PERSON_FAILURES: u32 = 5;
/// So many from one address, on whomever, are more than the slips of an office: one password tried on many.
const ADDRESS_FAILURES: u32 = 100;
/// Counted from the first failure on.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// What failures are counted by; memory holds no names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Person(Meant),
    Address(IpAddr),
}

struct Failures {
    first: Instant,
    count: u32,
}

/// Counts failures on this node.
#[derive(Default)]
pub struct Abuse(Mutex<HashMap<Key, Failures>>);

/// An attempt that counts as a failure until it succeeds, so that many at a time are no way around.
pub struct Attempt {
    keys: [Key; 2],
    /// Whether a challenge has to be solved before it goes on.
    pub is_suspected: bool,
}

impl Abuse {
    /// Somebody tries to be whom the parts name.
    pub fn attempt(&self, address: IpAddr, parts: &[&str], now: Instant) -> Attempt {
        let keys = [Key::Person(meant("guess", parts)), Key::Address(machine_of(address))];
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_suspected = false;
        for key in keys {
            let known = failures.entry(key).or_insert(Failures { first: now, count: 0 });
            if now.duration_since(known.first) >= WINDOW {
                *known = Failures { first: now, count: 0 };
            }
            is_suspected |= known.count >= key.limit();
            known.count = known.count.saturating_add(1);
        }
        Attempt { keys, is_suspected }
    }

    /// The attempt was no failure.
    pub fn succeeded(&self, attempt: &Attempt) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &attempt.keys {
            if let Some(known) = failures.get_mut(key) {
                known.count = known.count.saturating_sub(1);
            }
        }
    }

    /// Forgets what is over.
    pub fn forget_idle(&self) {
        let now = Instant::now();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| now.duration_since(known.first) < WINDOW);
    }
}

impl Key {
    fn limit(self) -> u32 {
        match self {
            Self::Person(_) => PERSON_FAILURES,
            Self::Address(_) => ADDRESS_FAILURES,
        }
    }
}

/// One machine's address: one of IPv6 has a whole `/64` to choose from.
fn machine_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn ann(abuse: &Abuse, from: &str, now: Instant) -> Attempt {
        abuse.attempt(address(from), &["acme", "ann@acme.example"], now)
    }

    // covers: E-100
    #[test]
    fn five_failures_on_one_person_are_suspicious_wherever_they_come_from() {
        let (abuse, now) = (Abuse::default(), Instant::now());
        for last in 1..=5 {
            assert!(!ann(&abuse, &format!("203.0.113.{last}"), now).is_suspected, "failure {last}");
        }
        assert!(ann(&abuse, "198.51.100.1", now).is_suspected);
        assert!(!abuse.attempt(address("203.0.113.1"), &["acme", "bob@acme.example"], now).is_suspected);
        assert!(!abuse.attempt(address("203.0.113.1"), &["other", "ann@acme.example"], now).is_suspected);
        assert!(ann(&abuse, "198.51.100.1", now + WINDOW - Duration::from_secs(1)).is_suspected);
        assert!(!ann(&abuse, "198.51.100.1", now + WINDOW).is_suspected, "the window is over");
    }

    // covers: E-100
    #[test]
    fn a_hundred_failures_from_one_address_are_suspicious_whomever_they_are_on() {
        let (abuse, now) = (Abuse::default(), Instant::now());
        let person = |from: &str, number: u32| abuse.attempt(address(from), &["acme", &number.to_string()], now).is_suspected;
        for number in 0..100 {
            assert!(!person(&format!("2001:db8::{number}"), number), "failure {number}");
        }
        assert!(person("2001:db8:0:0:ffff::1", 200), "the same machine under another address");
        assert!(!person("2001:db8:0:1::1", 201));
    }

    // covers: E-100
    #[test]
    fn whoever_gets_in_is_never_suspected() {
        let (abuse, now) = (Abuse::default(), Instant::now());
        for _ in 0..300 {
            let attempt = ann(&abuse, "203.0.113.1", now);
            assert!(!attempt.is_suspected);
            abuse.succeeded(&attempt);
        }
        abuse.forget_idle();
        assert_eq!(abuse.0.lock().unwrap().len(), 2, "what is not over is kept");
    }
}
