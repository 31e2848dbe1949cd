//! What whoever processes personal data records of it (GDPR, article 30(1)) and tells whom it concerns (article
//! 15(1)): made from the data map, the table of purposes, the table of roles and the classes of retention, so that
//! none of it is written twice.

use super::data_map;
use crate::{
    compliance::retention_schedule::RecordClass,
    identity::{Rights, Role},
    kernel::{DataClass, LegalBasis, Purpose, Recipient},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is kept for a purpose, on which ground, who is shown it, and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PurposeInformation {
    #[schema(value_type = String, example = "profile")]
    pub purpose: Purpose,
    /// The purpose in words.
    pub description: &'static str,
    pub legal_basis: LegalBasis,
    /// Of whom data is processed.
    pub subjects: &'static str,
    pub categories: Vec<DataCategory>,
    /// The roles whose holders may be shown it, beside whom it is about. Who was, the export says.
    pub recipients: Vec<&'static str>,
    /// Whom it reaches outside of the server, by category.
    pub recipients_outside: &'static [Recipient],
    /// For how long, the organization's schedule says of this class.
    pub retention: RecordClass,
}

/// Personal data of one kind of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DataCategory {
    /// The kind of record, as `GET /data-map` names it.
    pub record: &'static str,
    /// The most sensitive class of it.
    #[schema(value_type = String, example = "CONFIDENTIAL")]
    pub class: DataClass,
    pub fields: BTreeSet<&'static str>,
}

/// Every purpose for which something of a person is kept.
pub fn information() -> Vec<PurposeInformation> {
    record_of_processing().into_iter().filter(|of| of.purpose.is_of_people()).collect()
}

/// Every purpose for which something is sealed.
pub fn record_of_processing() -> Vec<PurposeInformation> {
    let mut kept: BTreeMap<&str, BTreeMap<&'static str, DataCategory>> = BTreeMap::new();
    for entry in data_map() {
        let Some(purpose) = entry.purpose else { continue };
        let (record, class) = (entry.stream_type, entry.class);
        let of = kept.entry(purpose.name()).or_default();
        let category = of.entry(record).or_insert_with(|| DataCategory { record, class, fields: BTreeSet::new() });
        category.class = category.class.max(class);
        category.fields.insert(entry.field);
    }
    let told = Purpose::ALL.into_iter().filter_map(|purpose| {
        let categories: Vec<_> = kept.remove(purpose.name())?.into_values().collect();
        let processing = purpose.processing();
        Some(PurposeInformation {
            purpose,
            description: processing.description,
            legal_basis: processing.legal_basis,
            subjects: processing.subjects,
            categories,
            recipients: recipients(purpose),
            recipients_outside: processing.recipients,
            retention: RecordClass::of(purpose),
        })
    });
    told.collect()
}

/// The built-in roles to which data of a purpose is shown.
fn recipients(purpose: Purpose) -> Vec<&'static str> {
    // By this permission it is shown.
    let permission = match purpose {
        Purpose::Profile => "identity.user.read",
        Purpose::Reward => "points.statement.read",
        Purpose::Security => "compliance.audit_log.read",
        // A forbid of the platform keeps it from everybody but assigned experts, whatever their roles grant.
        Purpose::Health => return vec![Role::Expert.name()],
        // What was written about a case is of no one person.
        Purpose::Hr | Purpose::Case => "compliance.audit_log.read",
    };
    Role::ALL.into_iter().filter(|role| Rights::built_in([*role]).permit(permission)).map(Role::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{AGGREGATES, data_map::CLIENT_CONTEXT};

    #[test]
    fn every_personal_field_of_every_event_is_in_a_category_of_its_purpose() {
        let told = information();
        let mut fields = 0;
        for entry in data_map() {
            let Some(purpose) = entry.purpose.filter(|purpose| purpose.is_of_people()) else { continue };
            let of = told.iter().find(|of| of.purpose == purpose).unwrap_or_else(|| panic!("no {purpose:?}"));
            let category = of.categories.iter().find(|category| category.record == entry.stream_type);
            let category = category.unwrap_or_else(|| panic!("no {} for {purpose:?}", entry.stream_type));
            assert!(category.fields.contains(entry.field) && category.class >= entry.class, "{entry:?}");
            fields += 1;
        }
        assert!(fields > 30, "{fields}");
        let records: BTreeSet<_> = told.iter().flat_map(|of| &of.categories).map(|category| category.record).collect();
        let known = |record: &str| record == CLIENT_CONTEXT || AGGREGATES.iter().any(|aggregate| aggregate.stream_type == record);
        assert!(records.iter().all(|record| known(record)) && records.contains(CLIENT_CONTEXT));
    }

    #[test]
    fn the_record_of_processing_has_cases_too_of_which_nobody_is_told_as_theirs() {
        let is_of = |told: Vec<PurposeInformation>| told.iter().any(|of| of.purpose == Purpose::Case);
        assert!(is_of(record_of_processing()) && !is_of(information()));
        for of in record_of_processing() {
            assert!(of.recipients_outside.contains(&Recipient::Hosting) && !of.description.is_empty(), "{of:?}");
        }
    }

    #[test]
    fn who_is_shown_what_follows_from_the_table_of_roles() {
        let of = |purpose| information().into_iter().find(|of| of.purpose == purpose).unwrap().recipients;
        assert!(of(Purpose::Profile).contains(&"organization_admin") && !of(Purpose::Profile).contains(&"member"));
        assert!(of(Purpose::Security).contains(&"compliance_officer") && !of(Purpose::Security).contains(&"analyst"));
        assert_eq!(of(Purpose::Health), ["expert"]);
    }
}
