//! The first lines after the start: where everything is, and requests to paste.

use super::{DESCRIPTOR, Descriptor};
use crate::cli::{
    demo::{Demo, MEMBER_EMAIL, SLUG},
    output::print_line,
};
use std::path::Path;

pub fn print(descriptor: &Descriptor, demo: &Demo, data_dir: &Path) {
    print_line(&text(descriptor, demo, data_dir));
}

fn text(descriptor: &Descriptor, demo: &Demo, data_dir: &Path) -> String {
    let Descriptor { base_url, mailbox_url, tokens, .. } = descriptor;
    let (program, member) = (demo.program, demo.member);
    // One line each: they are pasted whole.
    let lines = [
        format!("Palmares is ready: {base_url} (interface: {base_url}/docs)"),
        format!("Letters that it sends: {mailbox_url}"),
        String::new(),
        "Give a member 25 points, and wait for them:".to_owned(),
        format!(
            "curl -sS -X POST {base_url}/api/v1/points/credits -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \
             -H 'Idempotency-Key: welcome-1' -H 'Prefer: wait=5' \
             -d '{{\"program_id\":\"{program}\",\"user_id\":\"{member}\",\"amount\":25,\"reason\":\"welcome\"}}'",
            tokens.organization_admin
        ),
        String::new(),
        "See that member's points, as the member:".to_owned(),
        format!("curl -sS {base_url}/api/v1/users/{member}/points -H 'Authorization: Bearer {}'", tokens.member),
        String::new(),
        format!("Sign in as that member by a letter, which arrives at {mailbox_url}:"),
        format!(
            "curl -sS -X POST {base_url}/api/v1/auth/magic-link -H 'Content-Type: application/json' \
             -d '{{\"organization\":\"{SLUG}\",\"email\":\"{MEMBER_EMAIL}\"}}'"
        ),
        String::new(),
        format!("Tokens of every role: {} (valid for a day). Ctrl-C stops everything.", data_dir.join(DESCRIPTOR).display()),
    ];
    lines.join("\n")
}
