use super::*;
use crate::{openapi::Description, routes};

fn row(path: &'static str) -> Route {
    Route::public(path, |_| Box::pin(async { Ok(actix_web::HttpResponse::Ok().finish()) }), Description::default)
}

fn find(table: &Table, method: &str, path: &str) -> String {
    match table.find(method, path, "") {
        Found::Row { index, params } => format!("{} {params:?}", table.pattern(index)),
        Found::WrongMethod(allow) => format!("only {}", allow.join(" ")),
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn no_two_rows_that_serve_fit_one_request() {
    Table::new(routes::all()).unwrap();
}

#[test]
fn a_path_finds_its_row() {
    let rows = [row("/a"), row("/a/{a_id}"), row("/a/{a_id}/b"), row("/docs/{*file}")];
    let table = Table::new(&rows).unwrap();
    let cases = [
        ("/a", "/a []"),
        ("/a/1", r#"/a/{a_id} [("a_id", "1")]"#),
        ("/a/x%2Fy%20z", r#"/a/{a_id} [("a_id", "x/y z")]"#),
        ("/a/1/b", r#"/a/{a_id}/b [("a_id", "1")]"#),
        ("/docs/", r#"/docs/{*file} [("file", "")]"#),
        ("/docs/css/main.css", r#"/docs/{*file} [("file", "css/main.css")]"#),
        ("/a/", "nothing"),
        ("//a", "nothing"),
        ("/a//b", "nothing"),
        ("/a/1/b/", "nothing"),
        ("/A", "nothing"),
        ("/", "nothing"),
        ("", "nothing"),
        ("/a/%ff", "nothing"),
    ];
    for (path, expected) in cases {
        assert_eq!(find(&table, "GET", path), expected, "{path}");
    }
    assert_eq!(find(&table, "DELETE", "/a"), "only GET");
    assert_eq!(find(&table, "HEAD", "/a"), "/a []");
}

#[test]
fn rows_that_could_both_serve_are_refused() {
    let pairs = [
        ("/a/{x}", "/a/{y}"),
        ("/a/b", "/a/{x}"),
        ("/a/{x}/c", "/a/b/{y}"),
        ("/a/{*rest}", "/a/b"),
        ("/a/{*rest}", "/a/b/c"),
        ("/a", "/a"),
    ];
    for (one, two) in pairs {
        assert!(Table::new(&[row(one), row(two)]).is_err(), "{one} and {two}");
    }
    for (one, two) in [("/a/{x}/b", "/a/{x}/c"), ("/a/{x}", "/a"), ("/a/{x}", "/b/{x}"), ("/a/{*rest}", "/a")] {
        assert!(Table::new(&[row(one), row(two)]).is_ok(), "{one} and {two}");
    }
}

#[test]
fn a_name_in_place_of_an_id_is_no_id() {
    let rows = [row("/users/{user_id}"), row("/users/imports"), row("/users/{user_id}/sessions"), row("/users/imports/{import_id}")];
    let table = Table::new(&rows).unwrap();
    let id = uuid::Uuid::from_u128(1);
    for (path, expected) in [
        ("/users/imports".to_owned(), "/users/imports []".to_owned()),
        (format!("/users/{id}"), format!(r#"/users/{{user_id}} [("user_id", "{id}")]"#)),
        (format!("/users/imports/{id}"), format!(r#"/users/imports/{{import_id}} [("import_id", "{id}")]"#)),
        (format!("/users/{id}/sessions"), format!(r#"/users/{{user_id}}/sessions [("user_id", "{id}")]"#)),
        // Neither is an id, so whichever row it is, it names nothing.
        ("/users/imports/sessions".to_owned(), r#"/users/imports/{import_id} [("import_id", "sessions")]"#.to_owned()),
    ] {
        assert_eq!(find(&table, "GET", &path), expected, "{path}");
    }
    assert!(Table::new(&[row("/a/{x_id}"), row("/a/01924f5e-7c3a-7b1c-8f2d-3a4b5c6d7e8f")]).is_err());
}

#[test]
fn a_media_type_chooses_between_rows_of_one_path() {
    let rows = [row("/events"), row("/events").accepting("application/x-ndjson")];
    let table = Table::new(&rows).unwrap();
    let chosen = |accept| match table.find("GET", "/events", accept) {
        Found::Row { index, .. } => index,
        _ => usize::MAX,
    };
    assert_eq!(chosen("application/json"), 0);
    assert_eq!(chosen(""), 0);
    assert_eq!(chosen("*/*"), 0);
    assert_eq!(chosen("text/html, application/x-ndjson;q=0.9"), 1);
}

/// Routes that ask for nobody's name. The list is reviewed, and may only shrink.
#[test]
fn the_exceptions_are_the_reviewed_ones() {
    use crate::pipeline::route::Kind;
    let exceptions: Vec<_> = routes::all()
        .filter(|route| !matches!(route.kind, Kind::Command | Kind::Query))
        .map(|route| format!("{:?} {} {}", route.kind, route.verb.name(), route.pattern()))
        .collect();
    insta::assert_snapshot!("exceptions", format!("{} routes\n{}", exceptions.len(), exceptions.join("\n")));
}

/// A permission is `context.noun.verb`, and every row that is not public has one.
// covers: W-51, T-08, T-25, T-28, P-46, P-84
#[test]
fn every_row_names_its_permission() {
    use crate::pipeline::route::Kind;
    for route in routes::all() {
        match route.permission {
            Some(permission) => assert_eq!(permission.split('.').filter(|part| !part.is_empty()).count(), 3, "{permission}"),
            None => assert!(matches!(route.kind, Kind::Door | Kind::Public), "{} has no permission", route.pattern()),
        }
    }
}
