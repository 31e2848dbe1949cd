use super::*;
use serde_json::json;
use uuid::Uuid;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the faults of reading it are of interest")]
struct Order {
    order_id: Uuid,
    amount: i64,
    kind: Option<Kind>,
    until: Option<chrono::DateTime<chrono::Utc>>,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Fast,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the faults of reading it are of interest")]
struct Item {
    value: f64,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only the faults of reading it are of interest")]
struct Given {
    role: palmares_domain::identity::RoleRef,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Search {
    user_id: Uuid,
    limit: Option<u16>,
    deep: Option<bool>,
}

const ID: &str = "00000000-0000-0000-0000-000000000009";

fn fault<T: fmt::Debug>(result: Result<T, Problem>) -> (String, String) {
    let problem = result.unwrap_err();
    (problem.errors[0].field.clone(), problem.errors[0].reason.clone())
}

fn read(body: &str) -> Result<Order, Problem> {
    let mut object = object(body.as_bytes())?;
    merge(&mut object, &[("order_id", ID.to_owned())])?;
    typed(object)
}

#[test]
fn a_fault_names_its_field() {
    assert!(read(r#"{"amount": 1, "items": [{"value": 2}], "kind": "fast"}"#).is_ok());
    let cases = [
        (r#"{"amount": 1}"#, "items", "required"),
        (r#"{"amount": "1", "items": []}"#, "amount", "wrong_type"),
        (r#"{"amount": 1.5, "items": []}"#, "amount", "wrong_type"),
        (r#"{"amount": 9223372036854775808, "items": []}"#, "amount", "out_of_range"),
        (r#"{"amount": null, "items": []}"#, "amount", "wrong_type"),
        (r#"{"amount": 1, "items": [{"value": 1}, {"value": "x"}]}"#, "items[1].value", "wrong_type"),
        (r#"{"amount": 1, "items": [{}]}"#, "items[0].value", "required"),
        (r#"{"amount": 1, "items": [{"value": 1, "extra": 2}]}"#, "items[0].extra", "unknown_field"),
        (r#"{"amount": 1, "items": [], "extra": 2}"#, "extra", "unknown_field"),
        (r#"{"amount": 1, "items": [], "kind": "slow"}"#, "kind", "not_allowed"),
        (r#"{"amount": 1, "items": [], "until": "tomorrow"}"#, "until", "time"),
        (r#"{"amount": 1, "items": [], "until": "2026-02-30T00:00:00Z"}"#, "until", "time"),
        (r#"{"amount": 1, "items": [], "until": 5}"#, "until", "wrong_type"),
        (r#"{"amount": 1, "amount": 2, "items": []}"#, "amount", "duplicate_field"),
        (r#"{"amount": 1, "items": [{"value": 1, "value": 1}]}"#, "items[0].value", "duplicate_field"),
        (r#"{"amount": 1, "items": [], "order_id": "00000000-0000-0000-0000-000000000009"}"#, "order_id", "unknown_field"),
        (r#"{"amount": 1, "items": [], "kind": "fa\u0000st"}"#, "kind", "null_character"),
        (r#"{"amount": 1, "items": [], "kind": "-262143-01-01T00:00:00Z"}"#, "kind", "time"),
        (r#"{"amount": 1, "items": [], "kind": "+12026-01-01"}"#, "kind", "time"),
        (r#"{"amount": 1, "items": [{"value": 1, "\u0000": 1}]}"#, "items[0]", "null_character"),
        (r#"{"amount": 1, "items": []"#, "", "malformed_json"),
        (r#"{"amount": 1, "items": []} {}"#, "", "malformed_json"),
        (r#"{"amount": 1e999, "items": []}"#, "", "malformed_json"),
        ("", "", "malformed_json"),
        ("[]", "", "not_an_object"),
        ("7", "", "not_an_object"),
    ];
    for (body, field, reason) in cases {
        assert_eq!(fault(read(body)), (field.to_owned(), reason.to_owned()), "{body}");
    }
}

#[test]
fn what_is_one_of_a_list_is_told_the_list() {
    let allowed = |body: &str| read(body).unwrap_err().errors.remove(0).allowed;
    assert_eq!(allowed(r#"{"amount": 1, "items": [], "kind": "slow"}"#), ["fast"]);
    assert!(allowed(r#"{"amount": 1, "items": [], "extra`": 2}"#).contains(&"amount".to_owned()));
    // What is told in words is no closed list, and of one language.
    let role = |text: &str| typed::<Given>(json!({ "role": text }).as_object().cloned().unwrap()).unwrap_err().errors.remove(0);
    assert_eq!((role("king").reason.as_str(), role("king").allowed), ("not_allowed", Vec::new()));
    assert!(allowed(r#"{"amount": "unknown field `x`, expected `y`", "items": []}"#).is_empty());
}

#[test]
fn a_body_that_nests_without_end_is_refused() {
    let body = "[".repeat(100_000);
    assert_eq!(fault(object(body.as_bytes())), (String::new(), "malformed_json".to_owned()));
}

#[test]
fn parameters_of_path_and_query_are_typed_together() {
    let read = |query: &[(&str, &str)]| {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        parameters::<Search>(&[("user_id", ID.to_owned())], &query)
    };
    assert_eq!(
        read(&[("limit", "5"), ("deep", "true")]).unwrap(),
        Search { user_id: ID.parse().unwrap(), limit: Some(5), deep: Some(true) }
    );
    assert_eq!(fault(read(&[("limit", "five")])), ("limit".to_owned(), "wrong_type".to_owned()));
    assert_eq!(fault(read(&[("limit", "-1")])), ("limit".to_owned(), "wrong_type".to_owned()));
    assert_eq!(fault(read(&[("limit", "70000")])), ("limit".to_owned(), "out_of_range".to_owned()));
    assert_eq!(fault(read(&[("deep", "perhaps")])), ("deep".to_owned(), "wrong_type".to_owned()));
    assert_eq!(fault(read(&[("limit", "5\0")])), ("limit".to_owned(), "null_character".to_owned()));
    for year in ["-0001", "+262142", " 262142"] {
        assert_eq!(fault(read(&[("limit", &format!("{year}-12-31T23:59:59Z"))])), ("limit".to_owned(), "time".to_owned()), "{year}");
    }
    assert_eq!(fault(read(&[("li\0mit", "5")])), ("limit".to_owned(), "null_character".to_owned()));
    assert_eq!(fault(read(&[("colour", "red")])), ("colour".to_owned(), "unknown_field".to_owned()));
    assert_eq!(fault(read(&[("limit", "5"), ("limit", "6")])), ("limit".to_owned(), "duplicate_field".to_owned()));
    assert_eq!(fault(read(&[("user_id", ID)])), ("user_id".to_owned(), "duplicate_field".to_owned()));
    assert_eq!(fault(parameters::<Search>(&[], &[("user_id".to_owned(), "x".to_owned())])), ("user_id".to_owned(), "uuid".to_owned()));
}

#[test]
fn equal_objects_have_one_canonical_form() {
    let form = |value: &Value| {
        let mut out = Vec::new();
        canonical(value, &mut out);
        String::from_utf8(out).unwrap()
    };
    let text = r#"{"b": [1, {"d": null, "c": "é\n"}], "a": 1.5}"#;
    assert_eq!(form(&serde_json::from_str(text).unwrap()), r#"{"a":1.5,"b":[1,{"c":"é\n","d":null}]}"#);
    assert_ne!(form(&json!({"a": 1})), form(&json!({"a": "1"})));
}
