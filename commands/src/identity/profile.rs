//! What users say of themselves, changed by a merge patch (E-58, P-81).

use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::merge_patch::{Patch, patch};
use chrono_tz::Tz;
use palmares_domain::{
    identity::user::{self, PersonName, Preference, User, UserCommand},
    kernel::{Admission, UserId},
    organizations::Locale,
};
use serde::Deserialize;
use std::fmt;
use utoipa::ToSchema;

crate::capabilities! {
    ChangeProfile => permit "identity.self.change_profile", throttle Write, owner |change| Some(change.user_id);
}

/// What letters may be about, beside those that the user asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationsPatch {
    /// Letters about the security of the account always go out: nothing but `true` is taken.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    pub security: Patch<bool>,
    /// Letters that tell what is new.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    pub product_news: Patch<bool>,
}

/// Changes one's own profile and preferences. What is missing stays; a name that is null is taken
/// away, a preference that is null follows the organization again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProfile {
    pub user_id: UserId,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub given_name: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub family_name: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub display_name: Patch<String>,
    /// The language of letters and of the texts of problems.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Locale>)]
    pub language: Patch<Locale>,
    /// A name of the time zone database, such as `Europe/Paris`.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    pub time_zone: Patch<Tz>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<NotificationsPatch>)]
    pub notifications: Patch<NotificationsPatch>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for ChangeProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeProfile").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl ChangeProfile {
    fn change(&self) -> Result<user::ChangeProfile, Refused> {
        let mut change = user::ChangeProfile::default();
        let names = [(PersonName::GivenName, &self.given_name), (PersonName::FamilyName, &self.family_name)];
        for (name, given) in names.into_iter().chain([(PersonName::DisplayName, &self.display_name)]) {
            if let Some(value) = given {
                change.names.insert(name, value.clone());
            }
        }
        let mut sort = |preference, given: Option<bool>| {
            if given == Some(false) {
                change.reset.insert(preference);
            }
        };
        sort(Preference::Language, self.language.map(|value| value.is_some()));
        sort(Preference::TimeZone, self.time_zone.map(|value| value.is_some()));
        let news = match &self.notifications {
            None => None,
            Some(None) => Some(None),
            Some(Some(patch)) if patch.security.is_some_and(|value| value == Some(false)) => {
                return Err(Refused::field("notifications.security", "identity.security_letters_stay"));
            }
            Some(Some(patch)) => patch.product_news,
        };
        sort(Preference::ProductNews, news.map(|value| value.is_some()));
        change.set.language = self.language.flatten();
        change.set.time_zone = self.time_zone.flatten();
        change.set.product_news = news.flatten();
        Ok(change)
    }
}

impl Operation for ChangeProfile {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<User>(self.user_id, &UserCommand::ChangeProfile(self.change()?))?;
        Ok(Answer::new("id", self.user_id, "CHANGED"))
    }
}
