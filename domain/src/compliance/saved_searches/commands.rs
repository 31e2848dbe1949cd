//! What may be asked of somebody's saved searches.

use crate::kernel::{SearchId, UserId};
use std::collections::BTreeMap;

/// Filters by their names. Their values may be an address or somebody's name.
pub type SearchFilters = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub enum SavedSearchesCommand {
    Save(SaveSearch),
    Forget { user_id: UserId, search_id: SearchId },
}

/// Keeps a search.
#[derive(Clone, Debug)]
pub struct SaveSearch {
    pub user_id: UserId,
    pub search_id: SearchId,
    pub name: String,
    pub filters: SearchFilters,
}
