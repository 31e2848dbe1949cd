//! What users say of themselves: how they are called, and what they prefer (E-58).

use super::{PreferencesChanged, ProfileChanged, UserError, UserEvent};
use crate::{
    kernel::{Personal, UserId, text::is_label},
    organizations::Locale,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The longest name, in characters.
pub(super) const NAME_MAX_CHARS: usize = 200;

/// One of the names of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonName {
    GivenName,
    FamilyName,
    DisplayName,
}

impl PersonName {
    pub const ALL: [PersonName; 3] = [PersonName::GivenName, PersonName::FamilyName, PersonName::DisplayName];

    /// The field of requests and events that holds it.
    pub fn field(self) -> &'static str {
        match self {
            PersonName::GivenName => "given_name",
            PersonName::FamilyName => "family_name",
            PersonName::DisplayName => "display_name",
        }
    }
}

/// Something that users choose for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    Language,
    TimeZone,
    ProductNews,
}

/// What a user chose; what is missing follows the organization and, for letters, says no.
///
/// Letters about the security of the account are not among it: they always go out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// The language of letters and of texts.
    pub language: Option<Locale>,
    pub time_zone: Option<Tz>,
    /// Whether letters may tell what is new.
    pub product_news: Option<bool>,
}

/// A change of what users say of themselves. What it does not name stays.
#[derive(Clone, Default)]
pub struct ChangeProfile {
    /// A name to set or, where there is none, to take away.
    pub names: BTreeMap<PersonName, Option<String>>,
    pub set: Preferences,
    /// What follows the organization again.
    pub reset: BTreeSet<Preference>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl std::fmt::Debug for ChangeProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeProfile").field("set", &self.set).field("reset", &self.reset).finish_non_exhaustive()
    }
}

impl Preferences {
    /// What of `set` differs from what is there.
    fn news(&self, set: &Preferences) -> Preferences {
        Preferences {
            language: set.language.filter(|language| self.language != Some(*language)),
            time_zone: set.time_zone.filter(|zone| self.time_zone != Some(*zone)),
            product_news: set.product_news.filter(|news| self.product_news != Some(*news)),
        }
    }

    fn chose(&self, preference: Preference) -> bool {
        match preference {
            Preference::Language => self.language.is_some(),
            Preference::TimeZone => self.time_zone.is_some(),
            Preference::ProductNews => self.product_news.is_some(),
        }
    }

    pub(super) fn change(&mut self, changed: &PreferencesChanged) {
        self.language = changed.language.or(self.language);
        self.time_zone = changed.time_zone.or(self.time_zone);
        self.product_news = changed.product_news.or(self.product_news);
        for preference in &changed.reset {
            match preference {
                Preference::Language => self.language = None,
                Preference::TimeZone => self.time_zone = None,
                Preference::ProductNews => self.product_news = None,
            }
        }
    }
}

impl ChangeProfile {
    /// What happens: an event for the names and one for the preferences, where they change. Which
    /// names there are is known, not what they are, so a name that is set again is recorded again.
    pub(super) fn of(&self, user_id: UserId, names: &BTreeSet<PersonName>, current: &Preferences) -> Result<Vec<UserEvent>, UserError> {
        for (name, value) in &self.names {
            if value.as_ref().is_some_and(|value| !is_label(value, NAME_MAX_CHARS)) {
                return Err(UserError::NameInvalid(*name));
            }
        }
        let mut events = Vec::new();
        let given = |name| self.names.get(&name).cloned().flatten().map(Personal::Clear);
        let cleared = self.names.iter().filter(|(name, value)| value.is_none() && names.contains(name)).map(|(name, _)| *name);
        let (cleared, any): (Vec<_>, _) = (cleared.collect(), self.names.values().any(Option::is_some));
        if any || !cleared.is_empty() {
            let (given_name, family_name) = (given(PersonName::GivenName), given(PersonName::FamilyName));
            let display_name = given(PersonName::DisplayName);
            events.push(ProfileChanged { user_id, given_name, family_name, display_name, cleared }.into());
        }
        let Preferences { language, time_zone, product_news } = current.news(&self.set);
        let reset: Vec<_> = self.reset.iter().copied().filter(|preference| current.chose(*preference)).collect();
        if language.is_some() || time_zone.is_some() || product_news.is_some() || !reset.is_empty() {
            events.push(PreferencesChanged { user_id, language, time_zone, product_news, reset }.into());
        }
        Ok(events)
    }
}

impl ProfileChanged {
    /// Puts the names that are there now into `names`.
    pub(super) fn apply(&self, names: &mut BTreeSet<PersonName>) {
        names.extend(self.named());
        for cleared in &self.cleared {
            names.remove(cleared);
        }
    }

    /// The names that it sets.
    pub fn named(&self) -> impl Iterator<Item = PersonName> {
        let set = [&self.given_name, &self.family_name, &self.display_name];
        PersonName::ALL.into_iter().zip(set).filter(|(_, value)| value.is_some()).map(|(name, _)| name)
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
