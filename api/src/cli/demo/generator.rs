//! A month of generated people, shaped on a real feed: its figures and its flaws.
//!
//! The figures were computed from `dailyActivity_merged.csv` and `sleepDay_merged.csv` of the
//! "FitBit Fitness Tracker Data" (Furberg, Brinton, Keating, Ortiz; Zenodo, CC BY 4.0): 33 people,
//! 12 April to 12 May 2016, 940 days. No row of them is used. The same seed gives the same people
//! everywhere: integers only, and a random generator of our own that no library update changes.

use crate::cli::import::DayFigures;
use chrono::{Days, NaiveDate};
use std::fmt::Write;

/// How many people the feed has, and so we.
pub const PEOPLE: usize = 33;
/// From its first day to its last.
pub const DAYS: u64 = 31;
/// The seed of the demo organization.
pub const SEED: u64 = 20_160_412;

/// Mean steps of a person's days that are not zero: minimum, nine deciles and maximum over the 33 people.
const MEAN_STEPS_DECILES: [i64; 11] = [1_671, 3_910, 4_925, 6_394, 7_188, 7_556, 8_634, 9_147, 10_406, 12_088, 16_040];
/// How far a person's days scatter about the own mean, in percent (median over the people).
const SCATTER_PERCENT: i64 = 40;
/// The fewest and the most steps of a day that is not zero.
const STEPS_RANGE: (i64, i64) = (4, 36_019);
/// Days that each person was tracked, from the first on: wearers drop out and do not come back.
const TRACKED_DAYS: [u64; PEOPLE] =
    [31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 30, 30, 30, 29, 29, 28, 26, 26, 20, 19, 18, 4];
/// Days with zero steps per person, of those 15 who have any: 77 of 940 days, most of them of five people.
const ZERO_DAYS: [u64; 15] = [14, 14, 10, 10, 9, 5, 5, 2, 2, 1, 1, 1, 1, 1, 1];
/// Active minutes and kilocalories by steps: the regression lines over all days, in thousandths.
const ACTIVE_MINUTES_LINE: (i64, i64) = (86_314, 18);
const CALORIES_LINE: (i64, i64) = (1_665_743, 84);
/// One row in so many comes twice: three of 413 rows of the sleep file do.
const REPEAT_ONE_IN: u64 = 138;
/// One day in so many arrives late, by up to a week. The published file was put in order
/// afterwards and cannot say; this is what trackers without a connection do.
const LATE_ONE_IN: u64 = 20;
const LATE_DAYS_MAX: u64 = 7;

/// A day as it comes in: possibly late, possibly again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub arrives: NaiveDate,
    pub figures: DayFigures,
}

/// Who the people are, by external reference: `demo-01` and on.
pub fn people() -> impl Iterator<Item = String> {
    (1..=PEOPLE).map(|number| format!("demo-{number:02}"))
}

/// The month that begins on `first_day`, in the order of arrival.
pub fn month(seed: u64, first_day: NaiveDate) -> Vec<Delivery> {
    let mut random = SplitMix64(seed);
    let mut tracked = TRACKED_DAYS;
    random.shuffle(&mut tracked);
    let mut zero_days = [0; PEOPLE];
    zero_days[..ZERO_DAYS.len()].copy_from_slice(&ZERO_DAYS);
    random.shuffle(&mut zero_days);

    let mut deliveries = Vec::new();
    for (index, person) in people().enumerate() {
        let mean = mean_steps(index);
        let mut is_zero: Vec<bool> = (0..tracked[index]).map(|day| day < zero_days[index].min(tracked[index])).collect();
        random.shuffle(&mut is_zero);
        for (day, zero) in (0..).zip(is_zero) {
            let steps = if zero { 0 } else { random.steps(mean) };
            let figures = figures(&person, first_day + Days::new(day), steps);
            let late = if random.one_in(LATE_ONE_IN) { 1 + random.below(LATE_DAYS_MAX) } else { 0 };
            let arrives = figures.day + Days::new(1 + late);
            if random.one_in(REPEAT_ONE_IN) {
                deliveries.push(Delivery { arrives: arrives + Days::new(1), figures: figures.clone() });
            }
            deliveries.push(Delivery { arrives, figures });
        }
    }
    deliveries.sort_by(|one, other| one.arrives.cmp(&other.arrives).then_with(|| one.figures.person.cmp(&other.figures.person)));
    deliveries
}

/// The deliveries as a file in Fitbit's format, for those who want to import it.
pub fn fitbit_csv(deliveries: &[Delivery]) -> String {
    let mut file = String::from(
        "Id,ActivityDate,TotalSteps,TotalDistance,TrackerDistance,LoggedActivitiesDistance,VeryActiveDistance,ModeratelyActiveDistance,\
         LightActiveDistance,SedentaryActiveDistance,VeryActiveMinutes,FairlyActiveMinutes,LightlyActiveMinutes,SedentaryMinutes,Calories\n",
    );
    for Delivery { figures, .. } in deliveries {
        let (date, minutes) = (figures.day.format("%-m/%-d/%Y"), figures.active_minutes);
        let sedentary = 1_440 - minutes;
        // Writing to a string cannot fail.
        let _ =
            writeln!(file, "{},{date},{},0,0,0,0,0,0,0,0,0,{minutes},{sedentary},{}", figures.person, figures.steps, figures.calories_kcal);
    }
    file
}

fn figures(person: &str, day: NaiveDate, steps: i64) -> DayFigures {
    let on_line = |(base, slope): (i64, i64)| (base + slope * steps) / 1_000;
    let active_minutes = if steps == 0 { 0 } else { on_line(ACTIVE_MINUTES_LINE) };
    DayFigures { person: person.to_owned(), day, steps, active_minutes, calories_kcal: on_line(CALORIES_LINE) }
}

/// The person's place among the deciles, interpolated.
fn mean_steps(person: usize) -> i64 {
    let place = person * 10 * 1_000 / (PEOPLE - 1);
    let (decile, rest) = (place / 1_000, (place % 1_000) as i64);
    match MEAN_STEPS_DECILES[decile..] {
        [low, high, ..] => low + (high - low) * rest / 1_000,
        _ => MEAN_STEPS_DECILES[10],
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// A day of someone with this mean: twelve uniform numbers add up to a bell of variance one.
    fn steps(&mut self, mean: i64) -> i64 {
        let bell_thousandths: i64 = (0..12).map(|_| self.below(1_001) as i64).sum::<i64>() - 6_000;
        (mean + mean * SCATTER_PERCENT * bell_thousandths / 100_000).clamp(STEPS_RANGE.0, STEPS_RANGE.1)
    }
}

#[cfg(test)]
#[path = "generator_tests.rs"]
mod tests;
