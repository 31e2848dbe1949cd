//! Text that stands in clear although somebody typed it or might have: each field with the reason why it is
//! not sealed. The list needs a review to grow: a test compares it with the declarations of the events.

/// Fields, by why they stand in clear.
const CLEAR_TEXT: &[(&str, &[&str])] = &[
    (
        "a signed statement of what was destroyed: ids, steps and numbers",
        &[
            "compliance.deletion_purged.certificate",
            "compliance.erasure_certified.certificate",
            "compliance.subject_anonymised.certificate",
        ],
    ),
    (
        "the reference of an incident elsewhere: a token that no address and no sentence passes as; why something was erased has to be \
         shown afterwards",
        &["compliance.deletion_submitted.incident"],
    ),
    ("filters of an export: tokens that no address and no sentence passes as", &["compliance.data_exported.filters"]),
    (
        "a route by its pattern or a permission by its name: constants of this code",
        &[
            "compliance.access_refused.route",
            "compliance.data_exported.route",
            "compliance.sensitive_data_read.permission",
            "compliance.sensitive_data_read.route",
        ],
    ),
    (
        "what a company asks its people to agree to, for all of them to read; what was agreed to has to be shown afterwards",
        &["compliance.legal_document_published.text", "compliance.legal_document_published.url"],
    ),
    (
        "the address of a company's system, what it calls the platform, or the name of a secret",
        &[
            "compliance.siem_stream_opened.secret_ref",
            "compliance.siem_stream_opened.url",
            "identity.connection_configured.client_id",
            "identity.connection_configured.issuer",
            "identity.connection_configured.scopes",
            "identity.connection_configured.secret_ref",
        ],
    ),
    (
        "what an organization calls a program that acts for it: whose it is stands beside it as a random id",
        &["identity.api_key_created.name"],
    ),
    (
        "a rule in the language of policies, with its name: people stand in it as random ids, and who could do what has to be shown \
         afterwards",
        &[
            "identity.policy_instantiated.name",
            "identity.policy_instantiated.text",
            "identity.policy_template_written.name",
            "identity.policy_template_written.text",
            "identity.policy_written.name",
            "identity.policy_written.text",
        ],
    ),
    ("what an organization calls a role: the name of a function", &["identity.role_composed.name", "identity.role_renamed.name"]),
    (
        "the name of a domain, which anyone may look up",
        &[
            "organizations.auto_join_set.domain",
            "organizations.domain_claimed.domain",
            "organizations.domain_released.domain",
            "organizations.domain_verified.domain",
        ],
    ),
    (
        "the name of a company, which its register shows",
        &["organizations.organization_created.name", "organizations.organization_created.slug", "organizations.organization_renamed.name"],
    ),
    (
        "how a company appears to its people, its rules, and whom it names for them to turn to about their data",
        &["organizations.settings_changed.set"],
    ),
    ("what a company calls its program", &["points.program_defined.name"]),
    ("what a company calls a team: the name of a group", &["recognition.team_created.name", "recognition.team_renamed.name"]),
];

/// Why a field stands in clear, where it is text that somebody may have typed.
pub fn in_clear_because(event_type: &str, field: &str) -> Option<&'static str> {
    let is_it = |listed: &&'static str| listed.strip_prefix(event_type).and_then(|rest| rest.strip_prefix('.')) == Some(field);
    CLEAR_TEXT.iter().find(|(_, fields)| fields.iter().any(is_it)).map(|(because, _)| *because)
}

/// Every field of the list.
#[cfg(test)]
pub(super) fn listed() -> impl Iterator<Item = &'static str> {
    CLEAR_TEXT.iter().flat_map(|(_, fields)| fields.iter().copied())
}
