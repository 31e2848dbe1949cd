use super::*;
use serde_json::json;
use uuid::Uuid;

fn input(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[test]
fn the_same_request_has_the_same_hash_however_it_is_written() {
    let one = request_hash("points.hold.place", &input(serde_json::from_str(r#"{"a": 1, "b": {"c": 2, "d": [3]}}"#).unwrap()));
    let two = request_hash("points.hold.place", &input(serde_json::from_str(r#"{"b":{"d":[3],"c":2},"a":1}"#).unwrap()));
    assert_eq!(one, two);
    assert_ne!(one, request_hash("points.hold.void", &input(json!({"a": 1, "b": {"c": 2, "d": [3]}}))));
    assert_ne!(one, request_hash("points.hold.place", &input(json!({"a": 2, "b": {"c": 2, "d": [3]}}))));
}

#[test]
fn a_key_belongs_to_its_organization_caller_and_operation_and_to_whom_the_caller_acts_as() {
    let (acme, globex) = (OrganizationId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
    let (ann, bob) = (UserId(Uuid::from_u128(3)), UserId(Uuid::from_u128(4)));
    let (herself, as_bob, as_cleo) = ((ann, None), (ann, Some(bob)), (ann, Some(UserId(Uuid::from_u128(5)))));
    let id = command_id(acme, herself, "points.hold.place", b"k");
    assert_eq!(id, command_id(acme, herself, "points.hold.place", b"k"));
    for other in [
        command_id(globex, herself, "points.hold.place", b"k"),
        command_id(acme, (bob, None), "points.hold.place", b"k"),
        command_id(acme, herself, "points.hold.void", b"k"),
        command_id(acme, herself, "points.hold.place", b"l"),
        command_id(acme, as_bob, "points.hold.place", b"k"),
    ] {
        assert_ne!(id, other);
    }
    assert_ne!(command_id(acme, as_bob, "points.hold.place", b"k"), command_id(acme, as_cleo, "points.hold.place", b"k"));
}

#[test]
fn an_entity_tag_is_one_version() {
    assert_eq!(parse_etag(r#""7""#), Some(7));
    for text in ["7", r#"W/"7""#, r#""-7""#, r#""7", "8""#, "*", r#""""#, r#""99999999999999999999""#] {
        assert_eq!(parse_etag(text), None, "{text}");
    }
}

#[test]
fn a_command_takes_no_query_but_dry_run() {
    let read =
        |pairs: &[(&str, &str)]| dry_run(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>());
    assert!(!read(&[]).unwrap() && read(&[("dry_run", "true")]).unwrap() && !read(&[("dry_run", "false")]).unwrap());
    for pairs in [&[("dry_run", "yes")][..], &[("dry_run", "true"), ("dry_run", "false")], &[("dryrun", "true")]] {
        assert!(read(pairs).is_err());
    }
}
