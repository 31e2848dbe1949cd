//! Tables of comma-separated values (RFC 4180), as exports have them.

use super::ReadError;
use serde::Serialize;
use serde_json::Value;

/// The line of names.
pub(crate) fn header(columns: &[&str]) -> String {
    format!("{}\r\n", columns.join(","))
}

/// A line for each row, of the members that are columns; lists and objects are JSON in their cells.
pub(crate) fn lines<T: Serialize>(columns: &[&str], rows: &[T]) -> Result<String, ReadError> {
    let mut text = String::new();
    for row in rows {
        let row = serde_json::to_value(row).map_err(|error| ReadError::Unavailable(error.into()))?;
        let cells: Vec<_> = columns.iter().map(|column| cell(&row[column])).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    Ok(text)
}

/// A cell, quoted where it has to be. What a spreadsheet would take for a formula has an apostrophe
/// before it: a user agent is whatever a stranger sends.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = matches!(value, Value::String(_)) && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (value, expected) in [
            (json!(null), ""),
            (json!("a"), "a"),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"x\""), "\"say \"\"x\"\"\""),
            (json!("=HYPERLINK(1)"), "'=HYPERLINK(1)"),
            (json!("@x,y"), "\"'@x,y\""),
            (json!(-7), "-7"),
            (json!(["member", "expert"]), "\"[\"\"member\"\",\"\"expert\"\"]\""),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }

    #[test]
    fn a_line_has_a_cell_for_each_column() {
        let rows = [json!({ "day": "2026-01-05", "total": 7, "more": 1 }), json!({ "day": "2026-01-06", "total": null })];
        assert_eq!(header(&["day", "total"]), "day,total\r\n");
        assert_eq!(lines(&["day", "total"], &rows).unwrap(), "2026-01-05,7\r\n2026-01-06,\r\n");
    }
}
