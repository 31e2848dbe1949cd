use super::super::{ProfileChanged, User, UserCommand, UserCreated, UserDeletionRequested};
use super::*;
use crate::{
    identity::Role,
    kernel::{Aggregate, Facts, Refusal},
};
use chrono::DateTime;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));

fn given(events: &[UserEvent]) -> User {
    events.iter().fold(User::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[UserEvent], change: ChangeProfile) -> Result<Vec<UserEvent>, UserError> {
    given(events).decide(&UserCommand::ChangeProfile(change), &Facts { now: DateTime::UNIX_EPOCH, actor: ALICE })
}

fn created(display_name: Option<&str>) -> UserEvent {
    let display_name = display_name.map(|name| Personal::Clear(name.to_owned()));
    UserCreated { user_id: ALICE, external_ref: Personal::Clear("e-17".into()), display_name, role: Role::Member }.into()
}

fn names(names: &[(PersonName, Option<&str>)]) -> ChangeProfile {
    let names = names.iter().map(|(name, value)| (*name, value.map(str::to_owned))).collect();
    ChangeProfile { names, ..ChangeProfile::default() }
}

fn changed() -> ProfileChanged {
    ProfileChanged { user_id: ALICE, given_name: None, family_name: None, display_name: None, cleared: Vec::new() }
}

fn preferences(set: Preferences, reset: &[Preference]) -> ChangeProfile {
    ChangeProfile { set, reset: reset.iter().copied().collect(), ..ChangeProfile::default() }
}

fn french() -> Preferences {
    Preferences { language: Some(Locale::Fr), ..Preferences::default() }
}

#[test]
fn a_name_is_set_and_the_others_stay() {
    let ada = ProfileChanged { given_name: Some(Personal::Clear("Ada".into())), ..changed() };
    assert_eq!(when(&[created(Some("A. L."))], names(&[(PersonName::GivenName, Some("Ada"))])), Ok(vec![ada.clone().into()]));
    let state = given(&[created(Some("A. L.")), ada.into()]);
    assert_eq!(state.profile().unwrap().names, [PersonName::GivenName, PersonName::DisplayName].into());
}

#[test]
fn a_name_is_taken_away_where_there_is_one() {
    let gone = ProfileChanged { cleared: vec![PersonName::DisplayName], ..changed() };
    let change = names(&[(PersonName::DisplayName, None), (PersonName::FamilyName, None)]);
    assert_eq!(when(&[created(Some("Ada"))], change.clone()), Ok(vec![gone.clone().into()]));
    assert!(given(&[created(Some("Ada")), gone.into()]).profile().unwrap().names.is_empty());
    assert_eq!(when(&[created(None)], change), Ok(Vec::new()));
}

#[test]
fn a_name_that_is_none_is_refused_by_its_field() {
    let long = "x".repeat(201);
    for name in PersonName::ALL {
        for bad in ["", " ", " a", "a\nb", long.as_str()] {
            let refused = when(&[created(None)], names(&[(name, Some(bad))])).unwrap_err();
            assert_eq!((refused, refused.field()), (UserError::NameInvalid(name), Some(name.field())), "{bad:?}");
        }
    }
}

#[test]
fn a_preference_is_recorded_where_it_is_another_one() {
    let to_french = PreferencesChanged { user_id: ALICE, language: Some(Locale::Fr), time_zone: None, product_news: None, reset: vec![] };
    assert_eq!(when(&[created(None)], preferences(french(), &[])), Ok(vec![to_french.clone().into()]));
    let chosen = [created(None), to_french.clone().into()];
    assert_eq!(given(&chosen).profile().unwrap().preferences, french());
    assert_eq!(when(&chosen, preferences(french(), &[])), Ok(Vec::new()));
    let zone = Preferences { time_zone: Some(Tz::Europe__Zurich), product_news: Some(true), ..Preferences::default() };
    let events = when(&chosen, preferences(zone.clone(), &[Preference::Language])).unwrap();
    let state = given(&[&chosen[..], &events].concat());
    assert_eq!(state.profile().unwrap().preferences, zone);
}

#[test]
fn a_preference_that_nobody_chose_is_not_reset() {
    let all = [Preference::Language, Preference::TimeZone, Preference::ProductNews];
    assert_eq!(when(&[created(None)], preferences(Preferences::default(), &all)), Ok(Vec::new()));
    let chosen = when(&[created(None)], preferences(french(), &[])).unwrap();
    let back =
        PreferencesChanged { user_id: ALICE, language: None, time_zone: None, product_news: None, reset: vec![Preference::Language] };
    assert_eq!(when(&[&[created(None)], &chosen[..]].concat(), preferences(Preferences::default(), &all)), Ok(vec![back.into()]));
}

#[test]
fn only_a_user_who_is_there_has_a_profile() {
    assert_eq!(when(&[], preferences(french(), &[])), Err(UserError::NotFound));
    let leaving = [created(None), UserDeletionRequested { user_id: ALICE }.into()];
    assert_eq!(when(&leaving, preferences(french(), &[])), Err(UserError::Deleted));
}

#[test]
fn neither_state_nor_debug_output_holds_a_name() {
    let change = names(&[(PersonName::GivenName, Some("Ada"))]);
    let events = when(&[created(None)], change.clone()).unwrap();
    let state = serde_json::to_string(&given(&[&[created(None)], &events[..]].concat())).unwrap();
    assert!(!state.contains("Ada") && !format!("{change:?} {events:?}").contains("Ada"));
}
