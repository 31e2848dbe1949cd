//! `palmares data-map`: every field that is recorded, made from the events of this build (GDPR Art. 30).

use super::output::{Reporter, print_line};
use comfy_table::{Table, presets};
use palmares_domain::registry::data_map;
use serde_json::json;

/// Prints the data map: a table on a terminal, one field a line otherwise.
pub fn run(reporter: &Reporter) {
    if *reporter == Reporter::Terminal {
        print_line(&table());
        return;
    }
    for entry in data_map() {
        print_line(&json!(entry).to_string());
    }
}

fn table() -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "event",
        "owner",
        "field",
        "class",
        "subject",
        "purpose",
        "retention",
        "in clear because",
    ]);
    for entry in data_map() {
        let event = format!("{} v{}", entry.event_type, entry.schema_version);
        let class = format!("{:?}", entry.class).to_uppercase();
        let purpose = entry.purpose.map_or("", |purpose| purpose.name());
        let owner = entry.owners.iter().map(|owner| owner.name()).collect::<Vec<_>>().join(" + ");
        let (subject, because) = (entry.subject.unwrap_or_default(), entry.in_clear_because.unwrap_or_default());
        table.add_row([event.as_str(), &owner, entry.field, &class, subject, purpose, entry.retention.name(), because]);
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever adds a field sees here how far it may travel.
    // covers: P-54
    #[test]
    fn the_data_map_of_this_build() {
        insta::assert_snapshot!(table());
    }
}
