//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Facts, Personal, SearchId, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ANN: UserId = UserId(Uuid::from_u128(1));

fn search(number: u128) -> SearchId {
    SearchId(Uuid::from_u128(number))
}

fn given(events: &[SavedSearchesEvent]) -> SavedSearches {
    events.iter().fold(SavedSearches::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[SavedSearchesEvent], command: SavedSearchesCommand) -> Result<Vec<SavedSearchesEvent>, SavedSearchesError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ANN })
}

fn filters(value: &str) -> SearchFilters {
    [("audit_name".to_owned(), value.to_owned())].into()
}

fn save(number: u128, name: &str) -> SavedSearchesCommand {
    let (name, filters) = (name.to_owned(), filters("ROLE_CHANGED"));
    SavedSearchesCommand::Save(SaveSearch { user_id: ANN, search_id: search(number), name, filters })
}

fn saved(number: u128, name: &str) -> SavedSearchesEvent {
    let (name, filters) = (Personal::Clear(name.to_owned()), Personal::Clear(filters("ROLE_CHANGED")));
    SearchSaved { user_id: ANN, search_id: search(number), name, filters }.into()
}

fn forget(number: u128) -> SavedSearchesCommand {
    SavedSearchesCommand::Forget { user_id: ANN, search_id: search(number) }
}

#[test]
fn a_search_is_kept_under_its_name() {
    assert_eq!(when(&[], save(1, "Roles")), Ok(vec![saved(1, "Roles")]));
    let state = given(&[saved(1, "Roles")]);
    let kept: Vec<_> = state.iter().collect();
    assert_eq!(kept, [(search(1), &SavedSearch { name: Some("Roles".into()), filters: Some(filters("ROLE_CHANGED")) })]);
}

#[test]
fn what_may_be_about_somebody_is_not_kept() {
    for (name, value) in [("ip", "198.51.100.7"), ("ip", "nonsense"), ("text", "ann"), ("action", "2001:db8::7")] {
        let filters = [(name.to_owned(), value.to_owned())].into();
        let command = SavedSearchesCommand::Save(SaveSearch { user_id: ANN, search_id: search(1), name: "Ann".to_owned(), filters });
        assert_eq!(when(&[], command), Err(SavedSearchesError::FilterAboutSomebody), "{name}");
    }
}

#[test]
fn two_searches_have_two_names() {
    assert_eq!(when(&[saved(1, "Roles")], save(2, "roles")), Err(SavedSearchesError::NameTaken));
    assert!(when(&[saved(1, "Roles")], save(2, "Other roles")).is_ok());
}

#[test]
fn a_search_that_was_forgotten_is_gone_and_its_name_is_free() {
    let forgotten: SavedSearchesEvent = SearchForgotten { user_id: ANN, search_id: search(1) }.into();
    assert_eq!(when(&[saved(1, "Roles")], forget(1)), Ok(vec![forgotten.clone()]));
    assert_eq!(when(&[saved(1, "Roles"), forgotten.clone()], forget(1)), Err(SavedSearchesError::NotFound));
    assert!(when(&[saved(1, "Roles"), forgotten], save(2, "Roles")).is_ok());
    assert_eq!(when(&[], forget(1)), Err(SavedSearchesError::NotFound));
}

#[test]
fn names_filters_and_numbers_are_bounded() {
    for bad in ["", " ", " Roles", "Ro\nles", &"x".repeat(101)] {
        assert_eq!(when(&[], save(1, bad)), Err(SavedSearchesError::NameInvalid), "{bad:?}");
    }
    let with = |filters: SearchFilters| {
        when(&[], SavedSearchesCommand::Save(SaveSearch { user_id: ANN, search_id: search(1), name: "Roles".into(), filters }))
    };
    assert_eq!(with(SearchFilters::new()), Err(SavedSearchesError::FiltersInvalid));
    assert!(with(filters(&"x".repeat(200))).is_ok());
    assert_eq!(with(filters(&"x".repeat(201))), Err(SavedSearchesError::FiltersInvalid));
    let many = |count: usize| (0..count).map(|number| (format!("filter_{number}"), String::new())).collect::<SearchFilters>();
    assert!(with(many(20)).is_ok());
    assert_eq!(with(many(21)), Err(SavedSearchesError::FiltersInvalid));
    let full: Vec<_> = (0..SEARCHES_MAX).map(|number| saved(number as u128, &format!("search {number}"))).collect();
    assert_eq!(when(&full, save(1_000, "one more")), Err(SavedSearchesError::TooMany));
    assert!(when(&full[1..], save(1_000, "one more")).is_ok());
}
