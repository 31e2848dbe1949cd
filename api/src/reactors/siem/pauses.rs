//! How long is waited between attempts, and when trying again has lost its sense.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A pause that doubles with each attempt in vain.
#[derive(Clone, Copy, Debug)]
pub struct Growing {
    pub first: Duration,
    pub most: Duration,
}

impl Growing {
    /// The pause after as many attempts in vain and one more.
    fn after(self, attempts: i32) -> Duration {
        let times = 2_u32.saturating_pow(u32::try_from(attempts).unwrap_or_default());
        self.first.saturating_mul(times).min(self.most)
    }
}

/// The patience of the forwarder with sinks.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// With those that are away.
    pub away: Growing,
    /// With those that say no: people change what is wrong with them, and not within seconds.
    pub refused: Growing,
    /// How long a sink may say no before it is given up.
    pub refused_for: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            away: Growing { first: Duration::from_millis(250), most: MINUTE },
            refused: Growing { first: MINUTE, most: 15 * MINUTE },
            refused_for: 24 * 60 * MINUTE,
        }
    }
}

impl Pauses {
    /// After an attempt in vain that follows so many.
    pub fn away(&self, attempts: i32) -> Duration {
        self.away.after(attempts)
    }

    /// After a refusal that follows so many.
    pub fn refused(&self, refusals: i32) -> Duration {
        self.refused.after(refusals)
    }

    /// Whether a refusal that follows so many, with their pauses, is the last one.
    pub fn gives_up(&self, refusals: i32) -> bool {
        (0..refusals).map(|number| self.refused(number)).sum::<Duration>() >= self.refused_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_is_asked_again_soon_and_who_refuses_is_not() {
        let pauses = Pauses::default();
        let away: Vec<_> = [0, 1, 2, 7, 8, 40].into_iter().map(|attempts| pauses.away(attempts).as_millis()).collect();
        assert_eq!(away, [250, 500, 1_000, 32_000, 60_000, 60_000]);
        let refused: Vec<_> = [0, 1, 2, 3, 4, 40].into_iter().map(|refusals| pauses.refused(refusals).as_secs() / 60).collect();
        assert_eq!(refused, [1, 2, 4, 8, 15, 15]);
    }

    #[test]
    fn who_refuses_for_a_day_is_given_up() {
        let pauses = Pauses::default();
        let last = (0..).find(|refusals| pauses.gives_up(*refusals)).unwrap();
        let waited: Duration = (0..last).map(|number| pauses.refused(number)).sum();
        assert!((24.0..24.5).contains(&(waited.as_secs_f64() / 3_600.0)), "{waited:?} after {last} refusals");
        let soon = Pauses { refused_for: Duration::ZERO, ..pauses };
        assert!(soon.gives_up(0));
    }
}
