use super::*;
use crate::routes;
use std::collections::BTreeSet;

fn served() -> (Vec<&'static Route>, Value) {
    let routes: Vec<_> = routes::all().collect();
    let document = document(&routes);
    (routes, document)
}

#[test]
fn every_row_is_in_the_document() {
    let (routes, document) = served();
    for route in routes {
        let verb = route.verb.name().to_lowercase();
        let operation = &document["paths"][route.pattern().replace("{*", "{")][verb.as_str()];
        assert!(operation["operationId"].as_str().is_some_and(|id| !id.is_empty()), "{} {}", verb, route.pattern());
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{} {} has no summary", verb, route.pattern());
    }
}

#[test]
fn a_summary_is_a_whole_sentence_and_the_description_says_the_rest() {
    let (_, document) = served();
    let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let (mut cut, mut more) = (Vec::new(), 0);
    for operation in operations {
        let (summary, description) = (operation["summary"].as_str().unwrap(), operation["description"].as_str().unwrap());
        let plain = description.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.starts_with(summary), "{summary:?} is not how {description:?} begins");
        more += usize::from(plain.len() > summary.len());
        if !summary.ends_with(['.', '?']) {
            cut.push(summary);
        }
    }
    assert!(cut.is_empty(), "no sentences: {cut:#?}");
    assert!(more > 0);
    assert_eq!(describe::first_sentence("One, e.g. this\nof two: here. Two.\n\nThree."), "One, e.g. this of two: here.");
}

#[test]
fn headers_that_a_row_reads_are_in_the_document() {
    let (routes, document) = served();
    let mut proven = 0;
    for route in routes {
        let operation = &document["paths"][route.pattern().replace("{*", "{")][route.verb.name().to_lowercase()];
        let references: Vec<_> = operation["parameters"].as_array().unwrap().iter().filter_map(|each| each["$ref"].as_str()).collect();
        let names = |parameter: &str| references.contains(&format!("#/components/parameters/{parameter}").as_str());
        assert_eq!(names("Proof"), route.needs_proof, "{}", route.pattern());
        assert_eq!(names("Elevation"), route.permission.is_some(), "{}", route.pattern());
        proven += usize::from(route.needs_proof);
        if route.permission.is_some() {
            let security = operation.get("security").unwrap_or(&document["security"]).as_array().unwrap();
            let by_cookie = security.iter().find(|way| way.get("session").is_some()).unwrap();
            assert_eq!(by_cookie.get("csrf").is_some(), route.verb != Verb::Get, "{}", route.pattern());
        }
    }
    assert!(proven > 0);
    let parameters = &document["components"]["parameters"];
    assert_eq!((&parameters["Proof"]["name"], &parameters["Proof"]["required"]), (&json!(PROOF_HEADER), &json!(true)));
    assert_eq!(parameters["Elevation"]["name"], ELEVATION_HEADER);
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!((&schemes["session"]["in"], &schemes["csrf"]["name"]), (&json!("cookie"), &json!(CSRF_HEADER)));
}

#[test]
fn every_reference_leads_somewhere() {
    fn collect<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| collect(value, references));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
            _ => {}
        }
    }
    let (_, document) = served();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    let lost: Vec<_> = references.into_iter().filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none()).collect();
    assert!(lost.is_empty(), "references to nothing: {lost:#?}");
}

/// Two types of one name would overwrite each other in the document.
#[test]
fn a_schema_name_means_one_thing() {
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    for route in routes::all() {
        for (name, schema) in (route.describe)().schemas {
            let known = schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*known, schema, "{name} names two schemas");
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let mut seen = BTreeSet::new();
    for route in routes::all() {
        let id = route.operation_id(&(route.describe)().operation_id);
        assert!(seen.insert(id.clone()), "{id} names two operations");
    }
}

#[test]
fn parameters_of_the_path_are_not_in_the_body() {
    let (routes, document) = served();
    for route in routes {
        let operation = &document["paths"][route.pattern()][route.verb.name().to_lowercase()];
        for name in route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let stands_in_path = parameters.clone().any(|parameter| parameter["name"] == name && parameter["in"] == "path");
            assert!(stands_in_path || route.kind == Kind::Public, "{} does not read {{{name}}}", route.pattern());
            assert!(operation["requestBody"]["content"]["application/json"]["schema"]["properties"].get(name).is_none());
        }
    }
}

/// A wrapped input would hide its fields behind a reference.
#[test]
fn every_input_shows_its_fields() {
    for route in routes::all().filter(|route| route.permission.is_some()) {
        let description = (route.describe)();
        let input = description.input.unwrap();
        assert_eq!(input["type"], "object", "{}: {input}", description.operation_id);
    }
}
