//! The words by which an entry is found: what describes it, and nothing personal.
//!
//! They are the names of its event, its target, its permission, of what decided, and the texts of those
//! fields of its payload that are neither personal nor above INTERNAL. Ids, digests and times are left
//! out: they are looked for by fields of their own, and would make a text of every entry. So entries
//! share a small number of texts, and a search looks through these and not through the entries.

use super::{AuditName, fold::Metadata};
use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, NaiveDate};
use palmares_domain::{
    kernel::{DataClass, Digest, RecordedEvent, derive_uuid},
    registry::event_spec,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Texts of which each contains every word, and the names that are asked for beside them. A text that may
/// have been cut need not have the names: the entries themselves are asked for those. The first word is
/// looked for alone, because most texts end there.
pub(super) const MATCHING: &str = "
    SELECT text_id FROM compliance_audit_texts
    WHERE organization_id = $1 AND coalesce(strpos(text, ($2::text[])[1]), 1) > 0
      AND NOT EXISTS (SELECT FROM unnest($2::text[]) word WHERE strpos(text, word) = 0)
      AND (length(text) >= $4 OR NOT EXISTS (SELECT FROM unnest($3::text[]) name WHERE strpos(text, name) = 0))
    LIMIT $5";

/// As many texts as a page is rather made from than from one permission.
pub(super) const FEW: usize = 1_000;

const TEXT_MAX_CHARS: usize = 4_000;
const SEARCH_MAX_CHARS: usize = 200;

/// The words of an event, each once, in the order of the alphabet.
pub(super) fn text_of(event: &RecordedEvent, metadata: &Metadata, name: Option<AuditName>) -> String {
    let mut words = BTreeSet::new();
    let mut add = |text: &str| {
        words.insert(text.to_lowercase());
    };
    add(&event.event_type);
    add(&event.stream.stream_type);
    name.into_iter().for_each(|name| add(name.name()));
    metadata.permission.iter().for_each(|permission| add(permission));
    // The version of a set of policies says nothing to people, and changes with each release.
    metadata.policies.iter().for_each(|policy| add(policy.split('@').next().unwrap_or(policy)));
    metadata.roles.iter().filter(|role| describes(role)).for_each(|role| add(role));
    let spec = event_spec(&event.event_type, event.schema_version);
    if let (Some(spec), Ok(Value::Object(payload))) = (spec, serde_json::from_str(event.payload.get())) {
        let open = |field: &&palmares_domain::kernel::FieldSpec| field.personal.is_none() && field.class <= DataClass::Internal;
        for field in spec.fields.iter().filter(open) {
            payload.get(field.name).into_iter().for_each(|value| leaves(value, &mut add));
        }
    }
    let text = words.into_iter().collect::<Vec<_>>().join(" ");
    text.chars().take(TEXT_MAX_CHARS).collect()
}

/// The same text has the same id.
pub(super) fn text_id(text: &str) -> Uuid {
    derive_uuid("audit-text", &[text.as_bytes()])
}

fn leaves(value: &Value, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if describes(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, add)),
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, add)),
        _ => {}
    }
}

/// Whether a text says something about an entry, rather than which one it is.
fn describes(text: &str) -> bool {
    let names_one = text.parse::<Uuid>().is_ok()
        || text.parse::<Digest>().is_ok()
        || DateTime::parse_from_rfc3339(text).is_ok()
        || text.parse::<NaiveDate>().is_ok();
    !names_one && text.chars().any(char::is_alphabetic)
}

/// The texts that contain every word that is looked for, of entries with these names: of their event, or of
/// a group of permissions.
///
/// # Errors
/// A search without words, or one that is too long.
pub(super) async fn matching<'n>(
    reader: &mut TenantReader<'_>,
    search: &str,
    names: impl IntoIterator<Item = &'n String>,
) -> Result<Vec<Uuid>, ReadError> {
    if search.chars().count() > SEARCH_MAX_CHARS {
        return Err(ReadError::invalid("text", "too_long"));
    }
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Err(ReadError::invalid("text", "required"));
    }
    texts(reader, words, names, i64::MAX).await
}

/// The texts of entries with all of these names, where they are few.
pub(super) async fn few_named<'n>(
    reader: &mut TenantReader<'_>,
    names: impl IntoIterator<Item = &'n String>,
) -> Result<Option<Vec<Uuid>>, ReadError> {
    let found = texts(reader, Vec::new(), names, i64::try_from(FEW).unwrap_or(i64::MAX) + 1).await?;
    Ok((found.len() <= FEW).then_some(found))
}

async fn texts<'n>(
    reader: &mut TenantReader<'_>,
    words: Vec<String>,
    names: impl IntoIterator<Item = &'n String>,
    most: i64,
) -> Result<Vec<Uuid>, ReadError> {
    let organization = reader.organization().0;
    let names: Vec<String> = names.into_iter().map(|name| name.to_lowercase()).collect();
    let whole = i32::try_from(TEXT_MAX_CHARS).unwrap_or(i32::MAX);
    let query = sqlx::query_scalar(MATCHING).bind(organization).bind(words).bind(names).bind(whole).bind(most);
    Ok(query.fetch_all(reader.connection()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        identity::role_catalogue::{RoleCatalogueEvent, RoleComposed},
        kernel::{Event, OrganizationId, RoleId},
    };

    fn text(event: &impl Event, metadata: &str) -> String {
        let delivered = recorded(OrganizationId(Uuid::from_u128(1)), ("role_catalogue", Uuid::from_u128(2), 1), 1, event);
        text_of(&delivered.event, &Metadata::parse(metadata), Some(AuditName::RoleChanged))
    }

    #[test]
    fn an_entry_is_described_by_names_and_by_nothing_that_is_its_own() {
        let grants = vec!["points.hold".parse().unwrap()];
        let composed: RoleCatalogueEvent = RoleComposed { role_id: RoleId(Uuid::from_u128(7)), name: "Night Desk".into(), grants }.into();
        let metadata = r#"{"permission":"identity.role.compose","policies":["role.organization_admin@1f3c9a20d4e1"],
            "roles":["organization_admin","00000000-0000-0000-0000-000000000009"],"request_id":"00000000-0000-0000-0000-000000000001"}"#;
        assert_eq!(
            text(&composed, metadata),
            "identity.role.compose identity.role_composed night desk organization_admin points.hold role.organization_admin \
             role_catalogue role_changed"
        );
        let other: RoleCatalogueEvent =
            RoleComposed { role_id: RoleId(Uuid::from_u128(8)), name: "Night Desk".into(), grants: vec!["points.hold".parse().unwrap()] }
                .into();
        assert_eq!(text_id(&text(&composed, metadata)), text_id(&text(&other, metadata)), "another role of the same name");
    }

    #[test]
    fn ids_digests_and_times_describe_nothing() {
        for text in ["0191f2c0-0000-7000-8000-000000000000", &"ab".repeat(32), "2026-11-21T10:00:00Z", "2026-11-21", "12:30", ""] {
            assert!(!describes(text), "{text}");
        }
        assert!(describes("acme.example") && describes("Été"));
    }

    #[test]
    fn personal_fields_are_left_out() {
        use palmares_domain::{
            identity::user::{UserEvent, UserResumed},
            kernel::UserId,
        };
        let resumed: UserEvent = UserResumed { user_id: UserId(Uuid::from_u128(3)) }.into();
        assert_eq!(text(&resumed, "{}"), "identity.user_resumed role_catalogue role_changed");
    }
}
