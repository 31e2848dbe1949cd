//! Whether two cases can be told apart by how long they take: the rank test of Mann and Whitney.
//!
//! It asks nothing of how times are distributed, so a machine that is busy now and then makes it
//! blunter and never wrong, as long as the cases take turns.

use std::time::Duration;

/// Beyond this many standard deviations two samples differ: by chance once in 15,000 pairs.
pub const TOLD_APART: f64 = 4.0;

/// How far the ranks of two samples lie apart, in standard deviations; positive where `right` is slower.
pub fn rank_score(left: &[Duration], right: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = left.iter().map(|&time| (time, false)).chain(right.iter().map(|&time| (time, true))).collect();
    all.sort_unstable();
    let (mut rank_sum, mut ties, mut ranked) = (0.0, 0.0, 0.0);
    for same in all.chunk_by(|one, other| one.0 == other.0) {
        let count = same.len() as f64;
        // Those who are level share the middle of their ranks.
        rank_sum += same.iter().filter(|(_, right)| *right).count() as f64 * (ranked + (count + 1.0) / 2.0);
        ties += count.powi(3) - count;
        ranked += count;
    }
    let (m, n) = (left.len() as f64, right.len() as f64);
    let statistic = rank_sum - n * (n + 1.0) / 2.0;
    let variance = m * n / 12.0 * (m + n + 1.0 - ties / ((m + n) * (m + n - 1.0)));
    if variance > 0.0 { (statistic - m * n / 2.0) / variance.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// Times as a machine gives them: 40 ms, a spread of a few, and now and then something else to do.
    fn times(random: &mut StdRng, shift: Duration) -> Vec<Duration> {
        let time = |random: &mut StdRng| {
            let noise: f64 = (0..4).map(|_| random.random_range(0.0..1.5)).sum();
            let busy = if random.random_ratio(1, 20) { 60.0 } else { 0.0 };
            Duration::from_secs_f64((40.0 + noise + busy) / 1e3) + shift
        };
        (0..40).map(|_| time(random)).collect()
    }

    #[test]
    fn three_milliseconds_are_told_apart_and_nothing_is_not() {
        let random = &mut StdRng::seed_from_u64(88);
        for _ in 0..200 {
            let (one, same) = (times(random, Duration::ZERO), times(random, Duration::ZERO));
            let slower = times(random, Duration::from_millis(3));
            assert!(rank_score(&one, &slower) > TOLD_APART && rank_score(&slower, &one) < -TOLD_APART);
            assert!(rank_score(&one, &same).abs() < TOLD_APART);
        }
    }

    #[test]
    fn the_score_is_that_of_the_textbook() {
        // Ranks 1, 2 and 4 against 3, 5 and 6: U is 8 of 9, 3.5 above its mean, and the deviation is the root of 5.25.
        let [left, right] = [[1, 2, 4], [3, 5, 6]].map(|times| times.map(Duration::from_secs));
        assert!((rank_score(&left, &right) - 3.5 / 5.25_f64.sqrt()).abs() < 1e-9);
        assert_eq!(rank_score(&left, &left), 0.0);
    }
}
