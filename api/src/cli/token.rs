//! `palmares token`: signs a token with the key file, for operators and scripts.

use super::{output::print_line, settings::TokenSettings};
use crate::pipeline::tokens::TokenKeys;
use anyhow::{Context, bail};
use palmares_domain::{
    identity::{Role, RoleRef},
    kernel::{OrganizationId, UserId},
};
use std::time::Duration;

/// Longer is no token good, whoever signs it.
const MAX_TTL: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(clap::Args)]
pub struct TokenArgs {
    #[command(flatten)]
    settings: TokenSettings,
    /// The user who acts
    #[arg(long)]
    user: UserId,
    /// The user's organization
    #[arg(long)]
    organization: OrganizationId,
    /// A role of the user that the token is good for: the name of a built-in one, such as
    /// organization_admin or member, or the id of one of the organization's own
    #[arg(long)]
    role: RoleRef,
    /// How long it is valid: seconds, or a number with s, m, h or d
    #[arg(long, default_value = "1h", value_parser = parse_ttl)]
    ttl: Duration,
}

pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let (key_file, issuer, audience) = args.settings.complete()?;
    if args.role.built_in().is_some_and(Role::is_platform) && args.organization != OrganizationId::PLATFORM {
        bail!("{} is a role of the platform's own organization, {}", args.role, OrganizationId::PLATFORM);
    }
    let pem = std::fs::read_to_string(&key_file).with_context(|| format!("the key {} cannot be read", key_file.display()))?;
    let keys = TokenKeys::from_pems(&issuer, &audience, [pem.as_str()])?.in_environment(args.settings.environment.clone());
    print_line(&keys.mint(args.user, args.organization, [args.role], args.ttl)?);
    Ok(())
}

/// `90`, `90s`, `15m`, `12h`, `1d`; at most 30 days, because a token cannot be taken back.
fn parse_ttl(text: &str) -> Result<Duration, String> {
    match seconds(text) {
        Some(seconds) if (1..=MAX_TTL.as_secs()).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number with s, m, h or d, at most 30d".to_owned()),
    }
}

/// Seconds, or a number with a unit of time.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (number, factor) = match text.char_indices().last() {
        Some((end, 's')) => (&text[..end], 1),
        Some((end, 'm')) => (&text[..end], 60),
        Some((end, 'h')) => (&text[..end], 3600),
        Some((end, 'd')) => (&text[..end], 86_400),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_have_units_and_a_limit() {
        assert_eq!(parse_ttl("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_ttl("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_ttl("1d"), Ok(Duration::from_secs(86_400)));
        for bad in ["", "0", "d", "-1h", "31d", "1w", "99999999999999999999d", "é"] {
            assert!(parse_ttl(bad).is_err(), "{bad}");
        }
    }
}
