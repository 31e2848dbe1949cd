//! What happens to somebody's saved searches.

use super::commands::SearchFilters;
use crate::{
    events,
    kernel::{Personal, SearchId, UserId},
};

events! {
    /// What happens to somebody's saved searches.
    pub enum SavedSearchesEvent {
        SearchSaved = "compliance.search_saved" v 1 {
            user_id: UserId = internal,
            search_id: SearchId = internal,
            name: Personal<String> = confidential of user_id for Profile,
            filters: Personal<SearchFilters> = confidential of user_id for Profile,
        },
        SearchForgotten = "compliance.search_forgotten" v 1 {
            user_id: UserId = internal,
            search_id: SearchId = internal,
        }
    }
}
