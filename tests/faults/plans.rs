//! What is said of a deletion that is under way is what was recorded of it.

use super::{load::read_until, world::Caller};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The moment, to the microsecond: a read model has it so.
fn at(value: &Value) -> i64 {
    let at = value.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    at.unwrap_or_else(|| panic!("no time: {value}")).timestamp_micros()
}

/// Whoever is hidden is erased when it was said, and of whoever is erased stays what was recorded, until its date.
pub async fn assert_plan_is_as_recorded(officer: &Caller, user: &str, request: &str) {
    let request = read_until(officer, &format!("/deletion-requests/{request}"), Value::is_object).await;
    let plan = read_until(officer, &format!("/deletion-preview?user_id={user}"), Value::is_object).await;
    assert_eq!((&plan["status"], plan.get("soft_deleted_at")), (&request["status"], None), "{plan}");
    if request["status"] == "SOFT_DELETED" {
        assert_eq!(at(&plan["erased_at"]), at(&request["due_at"]), "{plan}");
        return;
    }
    assert_eq!(plan["goes"], json!([]), "{plan}");
    let until = |class: &str| {
        let stays = plan["stays"].as_array().expect("a list").iter().find(|stays| stays["class"] == class);
        at(&stays.unwrap_or_else(|| panic!("no {class} in {plan}"))["destroyed_at"])
    };
    for (class, purpose) in [("BILLING", "reward"), ("EMPLOYMENT", "hr")] {
        let kept = request["retained"].as_array().expect("a list").iter().find(|kept| kept["purpose"] == purpose);
        assert_eq!(until(class), at(&kept.unwrap_or_else(|| panic!("no {purpose} in {request}"))["until"]));
    }
    assert_eq!(until("BACKUP"), at(&request["backups_until"]));
}
