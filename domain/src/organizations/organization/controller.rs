//! Who answers for the personal data of an organization, as only the organization itself knows it (GDPR, article 30(1)(a)).

use super::{Setting, Settings};
use serde::Serialize;

const NAME_MAX_CHARS: usize = 200;
const TEXT_MAX_CHARS: usize = 500;

/// Who answers for what is kept of people, and how to reach them. `null` is what nobody has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Controller {
    /// The organization's own name, unless it says otherwise.
    pub name: String,
    /// Where to reach it: an address of whichever kind.
    pub contact: Option<String>,
    /// Where to reach its data protection officer.
    pub data_protection_officer: Option<String>,
    /// Who stands for it where it has no seat (article 27).
    pub representative: Option<String>,
    /// The country whose law applies.
    pub jurisdiction: Option<String>,
    /// Where everybody can read its privacy notice.
    pub notice_url: Option<String>,
    /// To which third countries data goes, and with which safeguards (article 30(1)(e)).
    pub transfers: Option<String>,
}

impl Controller {
    /// The settings that nobody has given, by their paths.
    pub fn missing(&self) -> Vec<&'static str> {
        let given = [
            (Setting::ControllerContact, &self.contact),
            (Setting::DataProtectionOfficer, &self.data_protection_officer),
            (Setting::Representative, &self.representative),
            (Setting::Transfers, &self.transfers),
            (Setting::Jurisdiction, &self.jurisdiction),
            (Setting::NoticeUrl, &self.notice_url),
        ];
        given.into_iter().filter(|(_, text)| text.is_none()).map(|(setting, _)| setting.path()).collect()
    }
}

impl Settings {
    /// Who answers for the data of an organization of this name.
    pub fn controller(&self, organization: &str) -> Controller {
        Controller {
            name: self.controller_name.clone().unwrap_or_else(|| organization.to_owned()),
            contact: self.controller_contact.clone(),
            data_protection_officer: self.data_protection_officer.clone(),
            representative: self.representative.clone(),
            jurisdiction: self.jurisdiction.clone(),
            notice_url: self.notice_url.clone(),
            transfers: self.transfers.clone(),
        }
    }

    /// What stands on one line, and how long it may be.
    pub(super) fn privacy_texts(&self) -> [(Setting, &Option<String>, usize); 6] {
        [
            (Setting::ControllerName, &self.controller_name, NAME_MAX_CHARS),
            (Setting::ControllerContact, &self.controller_contact, TEXT_MAX_CHARS),
            (Setting::DataProtectionOfficer, &self.data_protection_officer, TEXT_MAX_CHARS),
            (Setting::Representative, &self.representative, TEXT_MAX_CHARS),
            (Setting::Transfers, &self.transfers, TEXT_MAX_CHARS),
            (Setting::Jurisdiction, &self.jurisdiction, NAME_MAX_CHARS),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: P-54
    #[test]
    fn what_nobody_has_given_is_null_and_listed_by_its_setting() {
        let nothing = Settings::default().controller("Acme");
        let all = Setting::ALL.iter().map(|setting| setting.path()).filter(|path| path.starts_with("privacy."));
        let missing: std::collections::BTreeSet<_> = nothing.missing().into_iter().collect();
        assert_eq!(missing, all.filter(|path| *path != "privacy.controller_name").collect(), "its name is known");
        assert_eq!((nothing.name.as_str(), &nothing.contact), ("Acme", &None));
        let some = Settings {
            controller_name: Some("Acme SAS".into()),
            data_protection_officer: Some("dpo@acme.example".into()),
            ..Settings::default()
        };
        let given = some.controller("Acme");
        assert_eq!((given.name.as_str(), given.data_protection_officer.as_deref()), ("Acme SAS", Some("dpo@acme.example")));
        assert!(!given.missing().contains(&"privacy.data_protection_officer") && given.missing().len() == nothing.missing().len() - 1);
    }
}
