use super::*;
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_code_has_its_name_and_a_title_in_every_language() {
    for code in CODES {
        assert_eq!(serde_json::to_value(code).unwrap(), name(code));
        for language in Language::ALL {
            assert_ne!(language.title(code), name(code), "{} has no title in {}", name(code), language.tag());
        }
    }
}

#[test]
fn both_languages_know_the_same_keys() {
    let keys = |language: Language| language.texts().keys().copied().collect::<BTreeSet<_>>();
    assert_eq!(keys(Language::English), keys(Language::French));
}

#[test]
fn no_text_was_left_in_the_other_language() {
    for (key, english) in Language::English.texts() {
        assert_ne!(Some(*english), Language::French.text(key), "{key} reads the same in both languages");
    }
}

/// Reasons are written where the rule is; their texts are here. Nothing else compares the two.
#[test]
fn every_reason_in_the_sources_has_a_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut reasons = BTreeSet::new();
    for layer in ["domain", "commands", "projections", "api"] {
        collect_reasons(&root.join(layer).join("src"), &mut reasons);
    }
    assert!(reasons.len() > 20, "the sources were not read: {reasons:?}");
    let missing: Vec<_> = reasons.iter().filter(|reason| Language::English.field_text(reason).is_none()).collect();
    assert!(missing.is_empty(), "reasons without a text in api/src/problem/*.txt: {missing:#?}");
}

fn collect_reasons(folder: &Path, reasons: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect_reasons(&path, reasons);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            for body in source.split("fn reason(").skip(1) {
                let body = body.split("\n    }").next().unwrap_or_default();
                reasons.extend(body.split('"').skip(1).step_by(2).filter(|text| is_key(text)).map(str::to_owned));
            }
            for call in ["FieldError::new(", "Problem::invalid_field(", "Problem::new("] {
                for arguments in source.split(call).skip(1) {
                    let arguments = arguments.split(')').next().unwrap_or_default();
                    let last = arguments.trim_end().trim_end_matches([',', '\n', ' ']);
                    let literal = last.strip_suffix('"').and_then(|last| last.rsplit('"').next());
                    reasons.extend(literal.filter(|text| is_key(text)).map(str::to_owned));
                }
            }
        }
    }
}

fn is_key(text: &str) -> bool {
    text.contains(['_', '.']) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.'))
}

#[test]
fn the_language_is_the_callers_choice() {
    let cases = [
        ("fr", Some(Language::French)),
        ("fr-CH, fr;q=0.9, en;q=0.8", Some(Language::French)),
        ("en;q=0.2, fr;q=0.4", Some(Language::French)),
        ("de, en;q=0.5", Some(Language::English)),
        ("de", None),
        ("fr;q=0", None),
        ("*", Some(Language::English)),
        ("", None),
        (";;;,,q=fr", None),
    ];
    for (header, language) in cases {
        assert_eq!(Language::preferred(header), language, "{header}");
    }
}

#[test]
fn a_problem_names_its_fields_in_french() {
    let problem = Problem::invalid_field("items[3].value", "wrong_type");
    let body = serde_json::to_value(problem.body(Uuid::from_u128(7), Language::French)).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "type": "urn:palmares:problem:validation-error",
            "title": "La requête n’est pas valide",
            "status": 422,
            "code": "VALIDATION_ERROR",
            "reason": "gate.request_invalid",
            "detail": "Certains champs ne peuvent pas être acceptés ; chacun est nommé avec son motif.",
            "errors": [{"field": "items[3].value", "reason": "wrong_type", "message": "La valeur n’est pas du bon type."}],
            "request_id": "00000000-0000-0000-0000-000000000007",
        })
    );
}

#[test]
fn a_cause_stays_inside() {
    let problem = Problem::internal(anyhow::anyhow!("password is hunter2"));
    let body = serde_json::to_string(&problem.body(Uuid::nil(), Language::English)).unwrap();
    assert!(!body.contains("hunter2") && body.contains("INTERNAL_ERROR"));
}
