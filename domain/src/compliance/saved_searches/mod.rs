//! The searches of the audit log that one user keeps, in one stream under the id of that user.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub(super) use aggregate::{FILTERS_MAX, VALUE_MAX_CHARS, names_a_person};
pub use aggregate::{SEARCHES_MAX, SavedSearch, SavedSearches};
pub use commands::{SaveSearch, SavedSearchesCommand, SearchFilters};
pub use errors::SavedSearchesError;
pub use events::{SavedSearchesEvent, SearchForgotten, SearchSaved};
