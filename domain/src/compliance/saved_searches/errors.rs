//! Why something is refused of somebody's saved searches.

use super::aggregate::{FILTERS_MAX, SEARCHES_MAX};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedSearchesError {
    #[error("no such search")]
    NotFound,
    #[error("a search's name has 1 to 100 characters, no control characters, and no space around it")]
    NameInvalid,
    #[error("another search has this name")]
    NameTaken,
    #[error("a search has 1 to {FILTERS_MAX} filters of at most 200 characters")]
    FiltersInvalid,
    #[error("addresses and words are searched for and not kept: they may be about somebody")]
    FilterAboutSomebody,
    #[error("at most {SEARCHES_MAX} searches are kept")]
    TooMany,
}

impl Refusal for SavedSearchesError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::NameInvalid | Self::FiltersInvalid | Self::FilterAboutSomebody => Code::ValidationError,
            Self::NameTaken | Self::TooMany => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.search_not_found",
            Self::NameInvalid => "compliance.search_name_invalid",
            Self::NameTaken => "compliance.search_name_taken",
            Self::FiltersInvalid => "compliance.search_filters_invalid",
            Self::FilterAboutSomebody => "compliance.search_filter_about_somebody",
            Self::TooMany => "compliance.too_many_searches",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NameInvalid | Self::NameTaken => Some("name"),
            Self::FiltersInvalid | Self::FilterAboutSomebody => Some("filters"),
            Self::NotFound | Self::TooMany => None,
        }
    }
}
