//! What the summary for people says, in their language: who they are here, what they agreed to and asked
//! for, how much is recorded, and who read it. Everything else is in the JSON document.

use super::{document::Gathered, words::Words};
use palmares_domain::organizations::Locale;
use palmares_projections::operations::history::OwnEvent;
use serde_json::Value;
use std::collections::BTreeMap;

/// The newest reads that are listed.
const READS_LISTED: usize = 200;
/// The newest places that are listed from where requests came.
const ORIGINS_LISTED: usize = 200;
const TIME: &str = "%Y-%m-%d %H:%M UTC";

/// What names a person, as the fields of events are called.
const PROFILE: [&str; 6] = ["given_name", "family_name", "display_name", "email", "phone", "external_ref"];
/// Where it stands.
const OF_PROFILE: [&str; 2] = ["user", "signup"];

/// The summary, line by line.
pub(super) fn lines(gathered: &Gathered) -> Vec<String> {
    let words = Words::of(language(gathered));
    let mut lines = vec![
        words.title.to_owned(),
        String::new(),
        format!("{}: {}", words.organization, gathered.organization_id),
        format!("{}: {}", words.person, gathered.user_id),
        format!("{}: {}", words.built, gathered.built_at.format(TIME)),
        format!("{}: {}", words.events, gathered.events.len()),
        format!("{}: {}", words.read_by_others, gathered.read_by.len()),
    ];
    let mut section = |title: &str, rows: Vec<String>| {
        lines.extend([String::new(), title.to_owned()]);
        match rows.is_empty() {
            true => lines.push(format!("  {}", words.nothing)),
            false => lines.extend(rows.into_iter().map(|row| format!("  {row}"))),
        }
    };
    section(words.profile, profile(gathered, words));
    section(words.consents, happened(gathered, "compliance.consent_", words, &["consent_type", "policy_version"]));
    section(words.requests, happened(gathered, "compliance.subject_request_", words, &["kind", "details", "ground", "note", "reason"]));
    section(words.controller, controller(gathered));
    section(words.purposes, purposes(gathered, words));
    let origins = gathered.origins.iter().rev().take(ORIGINS_LISTED);
    let from = origins.map(|own| {
        let (ip, agent) = own.origin.as_ref().map_or(("?", None), |origin| (&origin.ip, origin.user_agent.as_deref()));
        format!("{}  {ip}  {}", own.first_at.format(TIME), agent.unwrap_or_default()).trim_end().to_owned()
    });
    section(words.origins, from.collect());
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for own in &gathered.events {
        *types.entry(&own.event.event_type).or_default() += 1;
    }
    section(words.by_type, types.into_iter().map(|(event_type, count)| format!("{count:>6}  {event_type}")).collect());
    let reads = gathered.read_by.iter().rev().take(READS_LISTED);
    let read = reads.map(|read| format!("{}  {}  {}  {}", read.read_at.format(TIME), read.reader_id, read.data_class, read.route));
    section(words.reads, read.collect());
    lines
}

/// Who answers for what is kept, and how to reach them.
fn controller(gathered: &Gathered) -> Vec<String> {
    let of = &gathered.information.controller;
    let told = [&of.contact, &of.data_protection_officer, &of.representative, &of.notice_url];
    std::iter::once(of.name.clone()).chain(told.into_iter().flatten().cloned()).collect()
}

/// Why something is kept, who is shown it, and for how many days after the account's end.
fn purposes(gathered: &Gathered, words: &Words) -> Vec<String> {
    let told = gathered.information.purposes.iter().map(|of| {
        let period = gathered.information.retention.iter().find(|period| period.class == of.retention);
        let (days, ground) = period.map_or((0, ""), |period| (period.days, period.ground));
        let shown: Vec<_> = of.recipients.iter().map(|role| words.label(role)).collect();
        let outside: Vec<_> = of.recipients_outside.iter().map(|recipient| words.label(recipient.name())).collect();
        let (purpose, ground) = (words.label(of.purpose.name()), words.label(ground));
        let (basis, shown, outside) = (words.label(of.legal_basis.name()), shown.join(", "), outside.join(", "));
        let Words { on_ground, shown_to, outside: beyond, days_kept, .. } = words;
        format!("{purpose}  {on_ground}: {basis}  {shown_to}: {shown}  {beyond}: {outside}  {days_kept}: {days} ({ground})")
    });
    told.collect()
}

/// How letters are read that the pages cannot show.
pub(super) fn how_to_read(gathered: &Gathered) -> &'static str {
    Words::of(language(gathered)).how_to_read
}

fn payload(own: &OwnEvent) -> Value {
    serde_json::from_str(own.event.payload.get()).unwrap_or_default()
}

/// A field in clear, sealed or not.
fn field(own: &OwnEvent, payload: &Value, name: &str) -> Option<String> {
    let opened = || own.personal.get(name).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    payload[name].as_str().map(str::to_owned).or_else(opened)
}

/// The language that they chose last, or their organization's.
fn language(gathered: &Gathered) -> Locale {
    let mut language = gathered.language;
    for own in gathered.events.iter().filter(|own| own.event.event_type == "identity.preferences_changed") {
        let payload = payload(own);
        let reset = payload["reset"].as_array().is_some_and(|reset| reset.contains(&"language".into()));
        let chosen = serde_json::from_value(payload["language"].clone()).ok();
        language = chosen.unwrap_or(if reset { gathered.language } else { language });
    }
    language
}

/// The values that were set last.
fn profile(gathered: &Gathered, words: &Words) -> Vec<String> {
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let own = gathered.events.iter().filter(|own| OF_PROFILE.contains(&own.event.stream.stream_type.as_str()));
    for own in own.filter(|own| own.event.stream.id == gathered.user_id.0) {
        let payload = payload(own);
        let cleared = payload["cleared"].as_array().cloned().unwrap_or_default();
        values.retain(|name, _| !cleared.contains(&(*name).into()));
        values.extend(PROFILE.iter().filter_map(|name| Some((*name, field(own, &payload, name)?))));
    }
    PROFILE.iter().filter_map(|name| Some(format!("{}: {}", words.label(name), values.get(name)?))).collect()
}

/// What happened under names that begin like this, each with some of its fields.
fn happened(gathered: &Gathered, prefix: &str, words: &Words, fields: &[&str]) -> Vec<String> {
    let told = |own: &OwnEvent| {
        let what = own.event.event_type.strip_prefix(prefix)?;
        let payload = payload(own);
        let said: Vec<_> = fields.iter().filter_map(|name| field(own, &payload, name)).collect();
        Some(format!("{}  {}  {}", own.event.recorded_at.format(TIME), words.step(what), said.join(", ")).trim_end().to_owned())
    };
    gathered.events.iter().filter_map(told).collect()
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
