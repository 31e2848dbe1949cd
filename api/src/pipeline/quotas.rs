//! Usage plans: how often the key of a program was used in the present period (P-33).
//!
//! Each node counts for itself, like every limit of the gate. Periods follow the clock, so a key that
//! uses up one period at its end and the next at its beginning has had no more than both.

use crate::problem::Problem;
use chrono::{DateTime, DurationRound, Utc};
use palmares_domain::{
    identity::api_key::{Quota, QuotaPeriod},
    kernel::{Code, OrganizationId, UserId},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// One period of one key.
struct Period {
    per: QuotaPeriod,
    ends: DateTime<Utc>,
    used: u32,
}

/// What every key has used of its present period. A quota that is set anew counts what was used already.
#[derive(Default)]
pub struct Quotas(Mutex<HashMap<(OrganizationId, UserId), Period>>);

impl Quotas {
    /// Uses one request of a quota. A request that is refused uses none.
    pub fn take(&self, key: (OrganizationId, UserId), quota: Quota, now: DateTime<Utc>) -> Result<(), Problem> {
        let length = quota.per.length();
        let ends = now.duration_trunc(length).unwrap_or(now) + length;
        let mut periods = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let period = periods.entry(key).or_insert(Period { per: quota.per, ends, used: 0 });
        if (period.per, period.ends) != (quota.per, ends) {
            *period = Period { per: quota.per, ends, used: 0 };
        }
        if period.used >= quota.requests {
            let wait = (ends - now).to_std().unwrap_or_default();
            return Err(Problem::new(Code::RateLimited, "gate.quota_exceeded").retry_after(wait));
        }
        period.used += 1;
        Ok(())
    }

    /// Forgets periods that are over.
    pub fn forget_idle(&self, now: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, period| now < period.ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::time::Duration;
    use uuid::Uuid;

    const KEY: (OrganizationId, UserId) = (OrganizationId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    const OTHER: (OrganizationId, UserId) = (OrganizationId(Uuid::from_u128(1)), UserId(Uuid::from_u128(3)));
    const TWO_A_MINUTE: Quota = Quota { requests: 2, per: QuotaPeriod::Minute };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// covers: P-33
    #[test]
    fn a_key_has_its_quota_in_each_period_and_is_told_when_the_next_begins() {
        let quotas = Quotas::default();
        for second in [0, 20] {
            quotas.take(KEY, TWO_A_MINUTE, at(second)).unwrap();
        }
        let refused = quotas.take(KEY, TWO_A_MINUTE, at(45)).unwrap_err();
        assert_eq!((refused.code, &*refused.reason), (Code::RateLimited, "gate.quota_exceeded"));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(15)));
        quotas.take(OTHER, TWO_A_MINUTE, at(45)).unwrap();
        quotas.take(KEY, TWO_A_MINUTE, at(60)).unwrap();
    }

    #[test]
    fn a_quota_that_is_set_anew_counts_what_was_used() {
        let quotas = Quotas::default();
        for _ in 0..2 {
            quotas.take(KEY, TWO_A_MINUTE, at(0)).unwrap();
        }
        quotas.take(KEY, Quota { requests: 3, ..TWO_A_MINUTE }, at(1)).unwrap();
        assert!(quotas.take(KEY, Quota { requests: 3, ..TWO_A_MINUTE }, at(1)).is_err());
        assert!(quotas.take(KEY, Quota { requests: 1, ..TWO_A_MINUTE }, at(1)).is_err());
        quotas.take(KEY, Quota { requests: 1, per: QuotaPeriod::Hour }, at(1)).unwrap();
    }

    #[test]
    fn only_periods_that_are_over_are_forgotten() {
        let quotas = Quotas::default();
        for _ in 0..2 {
            quotas.take(KEY, TWO_A_MINUTE, at(0)).unwrap();
        }
        quotas.forget_idle(at(59));
        assert!(quotas.take(KEY, TWO_A_MINUTE, at(59)).is_err());
        quotas.forget_idle(at(60));
        assert!(quotas.0.lock().unwrap().is_empty());
    }
}
