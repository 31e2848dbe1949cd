//! Windows of the calendar, over which scores are compared: a day, an ISO week, a month, a season
//! (a quarter of the calendar year), or all time.
//!
//! Days are local days of the people compared, so a window needs no time zone.

use chrono::{Datelike, Days, IsoWeek, Months, NaiveDate, Weekday};
use std::{fmt, ops::RangeInclusive};

/// Years that a key writes with four digits.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// A stretch of the calendar. Written and read back as `day:2016-04-12`, `week:2016-W15`,
/// `month:2016-04`, `season:2016-Q2` and `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    Day(NaiveDate),
    /// Monday to Sunday; it belongs to the year that holds its Thursday (ISO 8601).
    Week(IsoWeek),
    Month(Month),
    /// January to March is the first of a year's four seasons.
    Season(Season),
    All,
}

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    /// 1 to 12.
    month: u32,
}

/// A quarter of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Season {
    year: i32,
    /// 1 to 4.
    quarter: u32,
}

/// The text names no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a window is day, week, month, season or all, or one by its key such as day:2016-04-12, week:2016-W15, month:2016-04, season:2016-Q2"
)]
pub struct UnknownWindow;

impl Window {
    /// Every window that contains `day`, from the smallest to all time.
    pub fn containing(day: NaiveDate) -> [Window; 5] {
        [
            Window::Day(day),
            Window::Week(day.iso_week()),
            Window::Month(Month { year: day.year(), month: day.month() }),
            Window::Season(Season { year: day.year(), quarter: day.month0() / 3 + 1 }),
            Window::All,
        ]
    }

    /// The window that `text` names: by its key, or as `day`, `week`, `month`, `season` or `all`
    /// for the one that contains `today`.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Window, UnknownWindow> {
        let [day, week, month, season, all] = Window::containing(today);
        match text {
            "day" => Ok(day),
            "week" => Ok(week),
            "month" => Ok(month),
            "season" => Ok(season),
            "all" => Ok(all),
            key => {
                let window = parse_key(key).ok_or(UnknownWindow)?;
                // One window has one key: `month:2016-4` is refused, not taken for `month:2016-04`.
                if window.key() == key { Ok(window) } else { Err(UnknownWindow) }
            }
        }
    }

    /// The stable name, the one that [`Window::parse`] reads.
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// Whether `day` lies in the window.
    pub fn contains(&self, day: NaiveDate) -> bool {
        Window::containing(day).contains(self)
    }

    /// The first and the last day; none of all time.
    pub fn bounds(&self) -> Option<(NaiveDate, NaiveDate)> {
        match self {
            Window::Day(day) => Some((*day, *day)),
            Window::Week(week) => {
                let monday = NaiveDate::from_isoywd_opt(week.year(), week.week(), Weekday::Mon)?;
                Some((monday, monday.checked_add_days(Days::new(6))?))
            }
            Window::Month(Month { year, month }) => span_of_months(*year, *month, 1),
            Window::Season(Season { year, quarter }) => span_of_months(*year, quarter * 3 - 2, 3),
            Window::All => None,
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Day(day) => write!(f, "day:{day}"),
            Window::Week(week) => write!(f, "week:{:04}-W{:02}", week.year(), week.week()),
            Window::Month(Month { year, month }) => write!(f, "month:{year:04}-{month:02}"),
            Window::Season(Season { year, quarter }) => write!(f, "season:{year:04}-Q{quarter}"),
            Window::All => f.write_str("all"),
        }
    }
}

fn span_of_months(year: i32, first_month: u32, months: u32) -> Option<(NaiveDate, NaiveDate)> {
    let first = NaiveDate::from_ymd_opt(year, first_month, 1)?;
    Some((first, first.checked_add_months(Months::new(months))?.pred_opt()?))
}

fn parse_key(key: &str) -> Option<Window> {
    let (kind, rest) = key.split_once(':')?;
    if kind == "day" {
        return rest.parse().ok().filter(|day: &NaiveDate| YEARS.contains(&day.year())).map(Window::Day);
    }
    let (year, part) = rest.split_once('-')?;
    let year: i32 = year.parse().ok().filter(|year| YEARS.contains(year))?;
    match kind {
        "week" => {
            let monday = NaiveDate::from_isoywd_opt(year, part.strip_prefix('W')?.parse().ok()?, Weekday::Mon)?;
            Some(Window::Week(monday.iso_week()))
        }
        "month" => {
            let first = NaiveDate::from_ymd_opt(year, part.parse().ok()?, 1)?;
            Some(Window::Month(Month { year, month: first.month() }))
        }
        "season" => {
            let quarter = part.strip_prefix('Q')?.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
            Some(Window::Season(Season { year, quarter }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn keys(text: &str) -> [String; 5] {
        Window::containing(day(text)).map(|window| window.key())
    }

    #[test]
    fn a_day_lies_in_one_window_of_each_kind() {
        assert_eq!(keys("2016-04-12"), ["day:2016-04-12", "week:2016-W15", "month:2016-04", "season:2016-Q2", "all"]);
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        assert_eq!(keys("2016-01-03")[1], "week:2015-W53");
        assert_eq!(keys("2016-01-04")[1], "week:2016-W01");
        assert_eq!(keys("2018-12-31")[1], "week:2019-W01");
        assert_eq!(keys("2020-12-31")[1], "week:2020-W53");
        assert_eq!(keys("2021-01-03")[1], "week:2020-W53");
    }

    #[test]
    fn seasons_are_quarters() {
        let seasons = ["2016-01-01", "2016-03-31", "2016-04-01", "2016-06-30", "2016-07-01", "2016-09-30", "2016-10-01", "2016-12-31"]
            .map(|text| keys(text)[3].clone());
        assert_eq!(seasons.map(|key| key.chars().last()), ['1', '1', '2', '2', '3', '3', '4', '4'].map(Some));
    }

    #[test]
    fn every_key_reads_back_and_bounds_hold_exactly_the_days_of_the_window() {
        let mut today = day("2015-12-20");
        for _ in 0..800 {
            for window in Window::containing(today) {
                assert_eq!(Window::parse(&window.key(), day("1999-09-09")), Ok(window));
                assert!(window.contains(today));
                if let Some((first, last)) = window.bounds() {
                    assert!(first <= today && today <= last);
                    assert!(window.contains(first) && window.contains(last));
                    assert!(!window.contains(first.pred_opt().unwrap()) && !window.contains(last.succ_opt().unwrap()));
                }
            }
            today = today.succ_opt().unwrap();
        }
    }

    #[test]
    fn a_bare_kind_is_the_window_of_today() {
        let today = day("2016-01-03");
        let named = ["day", "week", "month", "season", "all"].map(|text| Window::parse(text, today).unwrap());
        assert_eq!(named, Window::containing(today));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "year",
            "Day",
            "day:",
            "day:2016-02-30",
            "day:2016-4-12",
            "day:+12016-04-12",
            "week:2016-W00",
            "week:2016-W53",
            "week:2016-15",
            "week:2015-W54",
            "month:2016-13",
            "month:2016-4",
            "month:16-04",
            "month:-001-04",
            "season:2016-Q0",
            "season:2016-Q5",
            "season:2016-2",
            "all:",
            "all:2016",
        ] {
            assert_eq!(Window::parse(text, day("2016-04-12")), Err(UnknownWindow), "{text}");
        }
    }
}
