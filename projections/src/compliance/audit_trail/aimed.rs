//! At what a refused request was aimed, as the pattern of its route says.

use serde::Deserialize;
use uuid::Uuid;

/// Parameters of routes, where one is named otherwise in another part of the API with that part, and the type of the
/// streams in which it is kept.
const NAMED: &[(&str, &str, &str)] = &[
    ("anomaly", "", "access_anomaly"),
    ("breach", "", "breach_case"),
    ("consent", "", "consents"),
    ("document", "", "legal_documents"),
    ("elevation", "", "elevation"),
    ("expert", "", "user"),
    ("export", "", "subject_export"),
    ("hold", "/points/", "points_account"),
    ("hold", "/legal-holds/", "legal_holds"),
    ("identity", "", "credential"),
    ("import", "", "user_import"),
    ("invitation", "", "invitation"),
    ("key", "", "api_key"),
    ("membership", "", "memberships"),
    ("policy", "", "policy_store"),
    ("program", "", "points_program"),
    ("request", "/deletion-requests/", "deletion_request"),
    ("request", "/subject-requests/", "subject_request"),
    ("review", "", "access_review"),
    ("role", "", "role_catalogue"),
    ("schedule", "", "audit_schedules"),
    ("search", "", "saved_searches"),
    ("session", "", "sessions"),
    ("stream", "", "siem_stream"),
    ("team", "", "team"),
    ("template", "", "policy_store"),
    ("transaction", "", "points_account"),
    ("user", "", "user"),
];

/// The type and the id of what the path of a refused request named last.
pub(super) fn aimed_at(payload: &[u8]) -> Option<(String, Uuid)> {
    #[derive(Deserialize)]
    struct Refused {
        route: String,
        target_ids: Option<Vec<Uuid>>,
    }
    let Refused { route, target_ids } = serde_json::from_slice(payload).ok()?;
    let last = *target_ids?.last()?;
    Some((target_type(&route)?.to_owned(), last))
}

/// The type of what a route names last. The caller's own organization is no target, and an event has no type.
pub fn target_type(route: &str) -> Option<&'static str> {
    let mut parameters = route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix("_id}"));
    let last = parameters.rfind(|name| *name != "organization")?;
    NAMED.iter().find(|(name, part, _)| *name == last && route.contains(part)).map(|(.., target_type)| *target_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::registry;

    // covers: E-194
    #[test]
    fn a_refused_request_is_about_what_its_path_named_last() {
        let (user, key) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let of =
            |route: &str, ids: &[Uuid]| aimed_at(&serde_json::to_vec(&serde_json::json!({ "route": route, "target_ids": ids })).unwrap());
        assert_eq!(of("/api/v1/users/{user_id}/roles/{role}/unassign", &[user]), Some(("user".to_owned(), user)));
        assert_eq!(of("/api/v1/access-reviews/{review_id}/keys/{key_id}/attest", &[user, key]), Some(("api_key".to_owned(), key)));
        assert_eq!(of("/api/v1/points/holds/{hold_id}/void", &[key]), Some(("points_account".to_owned(), key)));
        assert_eq!(of("/api/v1/legal-holds/{hold_id}/release", &[key]), Some(("legal_holds".to_owned(), key)));
        assert_eq!(of("/api/v1/audit-logs/{event_id}/explain", &[key]), None);
        assert_eq!(of("/api/v1/users", &[]), None);
        assert_eq!(aimed_at(br#"{"route":"/api/v1/users/{user_id}"}"#), None);
    }

    #[test]
    fn what_is_named_is_of_a_type_that_there_is() {
        for (name, part, target_type) in NAMED {
            assert!(registry::aggregate(target_type).is_some(), "{name} {part}: {target_type}");
        }
    }
}
