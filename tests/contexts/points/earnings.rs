//! Earnings: what days of activity are worth, whichever comes first, the days or the rule.

use super::Wallet;
use crate::support::running::{Reply, eventually, running};
use chrono::{Days, NaiveDate};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};

/// A version of a rule for steps, without a cap.
#[derive(Clone, Copy)]
struct Rule {
    per_units: i64,
    points: i64,
    from: u64,
}

impl Rule {
    fn worth(self, steps: i64) -> i64 {
        steps / self.per_units * self.points
    }
}

/// The days of the tests, from 0.
fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2020, 1, 1).and_then(|first| first.checked_add_days(Days::new(number))).expect("a day")
}

impl Wallet {
    async fn publish(&self, program: &str, rule: Rule) -> Reply {
        let Rule { per_units, points, from } = rule;
        let body = json!({ "kind": "activity", "metric": "steps", "per_units": per_units, "points": points, "effective_from": day(from) });
        self.post(&format!("/points/programs/{program}/rules"), &body).await.expect(200)
    }

    /// Reports the steps of some days of one member; a day that was reported before is corrected.
    async fn walk(&self, user: &str, steps: impl IntoIterator<Item = (u64, i64)>) -> Reply {
        let item = |(number, value): (u64, i64)| {
            let day = day(number);
            json!({ "source": "watch", "source_record_id": format!("{user}-{day}"), "user_id": user, "metric": "steps", "value": value,
                "local_day": day, "time_zone": "Europe/Paris" })
        };
        let items: Vec<_> = steps.into_iter().map(item).collect();
        self.post("/activities", &json!({ "items": items })).await.expect(200)
    }

    /// The position at which nothing is left to do: rules and activities have become credits, credits
    /// were resolved, and the read models show it. Each step is what the one before made.
    async fn at_rest(&self) -> i64 {
        let mut position = 0;
        for _ in ["settled", "resolved", "shown"] {
            position = self.organization.head().await;
            eventually("reactors and read models are there", || async {
                let listed = self.organization.analyst.get("/projections").await.expect(200);
                listed.items().iter().all(|row| row["position"].as_i64() >= Some(position)).then_some(())
            })
            .await;
        }
        position
    }

    /// What each (program, user, day) was awarded in the end, from the transactions themselves.
    async fn awarded(&self) -> BTreeMap<(String, String, String), i64> {
        let mut awarded = BTreeMap::new();
        for event in self.organization.domain_events().await {
            let sign = match event["type"].as_str() {
                Some("points.credit_accepted") => 1,
                Some("points.credit_voided" | "points.credit_reversed") => -1,
                _ => continue,
            };
            let [program, user, day] = ["program_id", "user_id", "earned_on"].map(|name| text(&event["payload"][name]));
            *awarded.entry((program, user, day)).or_default() += sign * event["payload"]["amount"].as_i64().expect("an amount");
        }
        awarded.retain(|_, points| *points != 0);
        awarded
    }

    async fn posted(&self, program: &str, user: &str, position: i64) -> i64 {
        let points = self.organization.admin.get_at(&format!("/users/{user}/points"), position).await.expect(200);
        let of_program = points.items().iter().find(|item| item["program_id"] == program);
        of_program.map_or(0, |item| item["posted"].as_i64().expect("points"))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

// covers: W-28, W-30
#[tokio::test]
async fn days_recorded_before_their_rule_was_published_are_settled_by_it() {
    let wallet = Wallet::empty().await;
    let friend = wallet.organization.add_member("friend").await;
    // More days than are looked up at once, most of them worth nothing.
    let steps = |number| (number, if number < 1_000 { 50 } else { 1_050 });
    wallet.walk(&wallet.user, (0..1_000).map(steps)).await;
    wallet.walk(&wallet.user, (1_000..1_030).map(steps)).await;
    wallet.walk(&friend, (0..12).map(|number| (number, 250))).await;
    wallet.at_rest().await;

    wallet.publish(&wallet.program, Rule { per_units: 100, points: 1, from: 10 }).await;
    let position = wallet.at_rest().await;
    assert_eq!(wallet.posted(&wallet.program, &wallet.user, position).await, 30 * 10);
    assert_eq!(wallet.posted(&wallet.program, &friend, position).await, 2 * 2);
    let days: BTreeSet<_> = wallet.awarded().await.into_keys().map(|(_, _, day)| day).collect();
    assert_eq!(days.first(), Some(&day(10).to_string()), "no day before the rule's first is rewarded");
    wallet.assert_books_agree(position).await;
}

// covers: W-28, T-31
#[tokio::test]
async fn a_later_version_brings_recorded_days_to_what_they_are_worth_by_it() {
    let wallet = Wallet::empty().await;
    wallet.publish(&wallet.program, Rule { per_units: 100, points: 2, from: 0 }).await;
    wallet.walk(&wallet.user, (0..20).map(|number| (number, 1_000))).await;
    let position = wallet.at_rest().await;
    assert_eq!(wallet.posted(&wallet.program, &wallet.user, position).await, 20 * 20);
    for (rule, expected) in [
        (Rule { per_units: 100, points: 1, from: 5 }, 5 * 20 + 15 * 10),
        (Rule { per_units: 100, points: 3, from: 15 }, 5 * 20 + 10 * 10 + 5 * 30),
    ] {
        wallet.publish(&wallet.program, rule).await;
        let position = wallet.at_rest().await;
        assert_eq!(wallet.posted(&wallet.program, &wallet.user, position).await, expected);
        wallet.assert_books_agree(position).await;
    }
}

// covers: W-28, W-30, W-31
#[tokio::test]
async fn days_and_rules_that_come_at_the_same_time_are_settled_once_in_any_order() {
    const MEMBERS: usize = 4;
    const DAYS: u64 = 20;
    let wallet = Wallet::empty().await;
    let other = wallet.organization.program().await;
    let names: Vec<_> = (0..MEMBERS).map(|number| format!("walker-{number}")).collect();
    let members = join_all(names.iter().map(|name| wallet.organization.add_member(name))).await;
    let steps = |member: usize, number: u64| 1_000 * (member as i64 + 1) + 100 * number as i64;
    let rules = [Rule { per_units: 100, points: 1, from: 3 }, Rule { per_units: 250, points: 7, from: 12 }];

    // Every report is there before, corrected while, and completed behind the rules.
    let walk = async |member: usize| {
        let user = &members[member];
        for first in (0..DAYS).step_by(10) {
            wallet.walk(user, (first..first + 10).map(|number| (number, 40_000))).await;
            wallet.walk(user, (first..first + 10).map(|number| (number, steps(member, number)))).await;
        }
    };
    let publish = async |program: &str| {
        for rule in rules {
            wallet.publish(program, rule).await;
        }
    };
    let walks = join_all((0..MEMBERS).map(walk));
    tokio::join!(walks, publish(&wallet.program), publish(&other));

    let position = wallet.at_rest().await;
    let mut expected = BTreeMap::new();
    for (member, user) in members.iter().enumerate() {
        for number in 3..DAYS {
            let rule = if number < 12 { rules[0] } else { rules[1] };
            for program in [&wallet.program, &other] {
                expected.insert((program.clone(), user.clone(), day(number).to_string()), rule.worth(steps(member, number)));
            }
        }
    }
    assert_eq!(wallet.awarded().await, expected, "every (rule, day) is awarded what it is worth");
    for user in &members {
        let of_user: i64 = expected.iter().filter(|((program, of, _), _)| *program == other && of == user).map(|(_, points)| points).sum();
        assert_eq!(wallet.posted(&other, user, position).await, of_user);
        assert_eq!(wallet.posted(&wallet.program, user, position).await, of_user);
    }
    wallet.assert_books_agree(position).await;
}

// covers: W-30
#[tokio::test]
async fn a_rule_that_is_delivered_again_settles_nothing_again() {
    let wallet = Wallet::empty().await;
    wallet.walk(&wallet.user, (0..150).map(|number| (number, 1_000))).await;
    wallet.publish(&wallet.program, Rule { per_units: 100, points: 1, from: 0 }).await;
    let position = wallet.at_rest().await;
    let known = wallet.organization.domain_events().await;

    // As after a crash that lost how far the reactor was: it begins with the first event again.
    let mut connection = PgConnection::connect(&running().descriptor.database_url).await.expect("a connection");
    sqlx::raw_sql("SET ROLE palmares_projector").execute(&mut connection).await.expect("the role");
    let forgotten = sqlx::query("UPDATE checkpoints SET position = 0 WHERE name = 'points.settle_recorded_days'");
    assert_eq!(forgotten.execute(&mut connection).await.expect("the checkpoint").rows_affected(), 1);

    wallet.at_rest().await;
    assert_eq!(wallet.organization.domain_events().await, known);
    assert_eq!(wallet.posted(&wallet.program, &wallet.user, position).await, 150 * 10);
}

#[tokio::test]
async fn a_thousand_days_in_one_batch_are_settled_by_ten_commands() {
    let wallet = Wallet::empty().await;
    wallet.publish(&wallet.program, Rule { per_units: 100, points: 1, from: 0 }).await;
    wallet.walk(&wallet.user, (0..1_000).map(|number| (number, 100))).await;
    let position = wallet.at_rest().await;
    assert_eq!(wallet.posted(&wallet.program, &wallet.user, position).await, 1_000);
    let mut credits: BTreeMap<String, usize> = BTreeMap::new();
    for event in wallet.organization.domain_events().await.iter().filter(|event| event["type"] == "points.credit_accepted") {
        *credits.entry(text(&event["metadata"]["command_id"])).or_default() += 1;
    }
    assert_eq!(credits.into_values().collect::<Vec<_>>(), [100; 10]);
}
