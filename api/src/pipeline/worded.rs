//! What is wrong with the rows of a table or the items of a batch, in words: beside each stable reason stands
//! the sentence that a problem would have. It is put in as the answer goes out, since what is stored has no language.

use super::{call::Call, rim::chosen_language};
use crate::problem::{Language, Problem};
use serde_json::{Map, Value};

/// The body of an answer with the sentences of its rows.
pub(super) async fn worded(call: &Call<'_>, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let mut body: Map<String, Value> = serde_json::from_slice(&body).map_err(Problem::internal)?;
    word(&mut body, language_of(call).await);
    serde_json::to_vec(&body).map_err(Problem::internal)
}

/// The language in which the caller is told of problems.
pub(super) async fn language_of(call: &Call<'_>) -> Language {
    chosen_language(call).await.unwrap_or(call.language)
}

/// Puts a `message` beside each reason of the `items`: a row of a table has `errors`, an item of a batch is refused
/// as a whole.
pub(super) fn word(body: &mut Map<String, Value>, language: Language) {
    for item in body.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(row) = item.get("row").and_then(Value::as_i64) {
            let errors = item.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten();
            errors.filter_map(Value::as_object_mut).for_each(|error| of_row(error, row, language));
        } else if let Some(index) = item.get("index").and_then(Value::as_u64) {
            of_item(item, index, language);
        }
    }
}

fn of_row(error: &mut Map<String, Value>, row: i64, language: Language) {
    let Some((field, sentence)) = sentence(error, language) else { return };
    let key = if field == Some("row") { "row.whole" } else { "row.field" };
    let told = language.text(key).unwrap_or("{sentence}").replace("{row}", &row.to_string());
    let told = told.replace("{field}", field.unwrap_or_default()).replace("{sentence}", sentence);
    error.insert("message".to_owned(), told.into());
}

/// An item is named as in a problem.
fn of_item(item: &mut Map<String, Value>, index: u64, language: Language) {
    let Some((field, sentence)) = sentence(item, language) else { return };
    let told = match field {
        Some(field) => format!("items[{index}].{field}: {sentence}"),
        None => format!("items[{index}]: {sentence}"),
    };
    item.insert("message".to_owned(), told.into());
}

/// The field that is to blame, and what is wrong with it.
fn sentence(error: &Map<String, Value>, language: Language) -> Option<(Option<&str>, &'static str)> {
    let sentence = language.field_text(error.get("reason")?.as_str()?)?;
    Some((error.get("field").and_then(Value::as_str), sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn worded(body: Value, language: Language) -> Value {
        let Value::Object(mut body) = body else { panic!("no object") };
        word(&mut body, language);
        body.into()
    }

    #[test]
    fn each_fault_of_a_row_is_told_with_its_row_and_its_field() {
        let rows = json!({ "items": [
            { "row": 1, "status": "READY", "errors": [] },
            { "row": 7, "errors": [
                { "field": "email", "reason": "identity.import_email_repeated" },
                { "field": "row", "reason": "identity.import_cell_count" },
            ] },
        ] });
        let told = |language| {
            let rows = worded(rows.clone(), language);
            assert_eq!(rows["items"][0]["errors"], json!([]));
            rows["items"][1]["errors"].as_array().unwrap().iter().map(|error| error["message"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            told(Language::English),
            ["Row 7, email: An earlier row has the same e-mail address.", "Row 7: The row has more or fewer cells than the header."]
        );
        assert!(told(Language::French).iter().all(|message| message.as_str().unwrap().starts_with("Ligne 7")));
    }

    #[test]
    fn each_refused_item_is_told_with_its_place_and_its_field() {
        let items = json!({ "items": [
            { "index": 0, "status": "accepted" },
            { "index": 1, "status": "refused", "reason": "challenges.metric_unknown", "field": "metric" },
            { "index": 2, "status": "refused", "reason": "challenges.record_unknown" },
        ] });
        let told = worded(items, Language::English);
        assert_eq!(told["items"][0], json!({ "index": 0, "status": "accepted" }));
        assert_eq!(told["items"][1]["message"], "items[1].metric: This metric is not known.");
        assert_eq!(told["items"][2]["message"], "items[2]: There is no such record to correct or retract.");
    }
}
