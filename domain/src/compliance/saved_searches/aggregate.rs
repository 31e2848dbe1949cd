//! The rules of somebody's saved searches.

use super::{SaveSearch, SavedSearchesCommand, SavedSearchesError, SavedSearchesEvent, SearchFilters, SearchForgotten, SearchSaved};
use crate::kernel::{Aggregate, Facts, Personal, Purpose, SearchId, text::is_label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Searches of one user.
pub const SEARCHES_MAX: usize = 100;
/// Filters of one search.
pub const FILTERS_MAX: usize = 20;
const NAME_MAX_CHARS: usize = 100;
pub const VALUE_MAX_CHARS: usize = 200;

/// A search that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSearch {
    /// Missing, as the filters, where they cannot be read any more.
    pub name: Option<String>,
    pub filters: Option<SearchFilters>,
}

/// The searches of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedSearches(BTreeMap<SearchId, SavedSearch>);

impl SavedSearches {
    pub fn get(&self, search: SearchId) -> Option<&SavedSearch> {
        self.0.get(&search)
    }

    pub fn iter(&self) -> impl Iterator<Item = (SearchId, &SavedSearch)> {
        self.0.iter().map(|(id, search)| (*id, search))
    }

    fn save(&self, command: &SaveSearch) -> Result<SavedSearchesEvent, SavedSearchesError> {
        let SaveSearch { user_id, search_id, ref name, ref filters } = *command;
        if !is_label(name, NAME_MAX_CHARS) {
            return Err(SavedSearchesError::NameInvalid);
        }
        let fits = |value: &String| value.chars().count() <= VALUE_MAX_CHARS;
        if !(1..=FILTERS_MAX).contains(&filters.len()) || !filters.values().all(fits) {
            return Err(SavedSearchesError::FiltersInvalid);
        }
        // They are sealed as what is of the searcher, and would outlive the erasure of whom they are about.
        if filters.iter().any(|(name, value)| names_a_person(name, value)) {
            return Err(SavedSearchesError::FilterAboutSomebody);
        }
        let same = |search: &SavedSearch| search.name.as_ref().is_some_and(|taken| taken.to_lowercase() == name.to_lowercase());
        if self.0.values().any(same) {
            return Err(SavedSearchesError::NameTaken);
        }
        if self.0.len() >= SEARCHES_MAX {
            return Err(SavedSearchesError::TooMany);
        }
        let (name, filters) = (Personal::Clear(name.clone()), Personal::Clear(filters.clone()));
        Ok(SearchSaved { user_id, search_id, name, filters }.into())
    }
}

/// Whether a filter may tell of somebody by more than an id: an address of the network, or words.
pub fn names_a_person(name: &str, value: &str) -> bool {
    matches!(name, "ip" | "text") || value.parse::<core::net::IpAddr>().is_ok()
}

impl Aggregate for SavedSearches {
    const TYPE: &'static str = "saved_searches";
    const SHAPE: u16 = 1;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Profile);

    type Command = SavedSearchesCommand;
    type Event = SavedSearchesEvent;
    type Error = SavedSearchesError;

    fn decide(&self, command: &SavedSearchesCommand, _facts: &Facts) -> Result<Vec<SavedSearchesEvent>, SavedSearchesError> {
        match command {
            SavedSearchesCommand::Save(save) => self.save(save).map(|event| vec![event]),
            SavedSearchesCommand::Forget { user_id, search_id } if self.0.contains_key(search_id) => {
                Ok(vec![SearchForgotten { user_id: *user_id, search_id: *search_id }.into()])
            }
            SavedSearchesCommand::Forget { .. } => Err(SavedSearchesError::NotFound),
        }
    }

    fn evolve(&mut self, event: &SavedSearchesEvent) {
        match event {
            SavedSearchesEvent::SearchSaved(saved) => {
                let search = SavedSearch { name: saved.name.clear().cloned(), filters: saved.filters.clear().cloned() };
                self.0.insert(saved.search_id, search);
            }
            SavedSearchesEvent::SearchForgotten(forgotten) => {
                self.0.remove(&forgotten.search_id);
            }
        }
    }
}
