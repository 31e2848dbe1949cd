//! Codes of authenticators (RFC 6238), and those that stand in for them.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use palmares_commands::digests::digest_of;
use palmares_domain::{identity::credential::RECOVERY_CODES, kernel::Digest};
use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};
use totp_rs::{Builder, Secret, Totp};

/// The letters of recovery codes: none looks like another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 80 bits: nobody guesses one, so its plain SHA-256 gives nothing away.
const RECOVERY_CODE_CHARS: usize = 16;

/// A fresh secret in base32, and the address that an authenticator reads it from: it shows the account under
/// the name of who asks for its codes.
pub fn fresh(issuer: &str, account: &str) -> anyhow::Result<(String, String)> {
    // A colon parts the two names, so neither may hold one.
    let [issuer, account] = [issuer, account].map(|name| name.replace(':', " "));
    let totp = Builder::new().with_secret(Secret::generate()).with_issuer(Some(issuer)).with_account_name(account);
    let totp = totp.build().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((totp.secret().to_base32(), totp.to_url()?))
}

/// The time step of a code, if it is the authenticator's; one step early or late is near enough. It is that of
/// the system's time, which authenticators go by even where ours was put ahead.
pub fn step_of(secret: &str, code: &str) -> Option<i64> {
    let totp = totp_of(Secret::try_from_base32(secret).ok()?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    totp.check(code, now).and_then(|step| i64::try_from(step).ok())
}

fn totp_of(secret: Secret) -> anyhow::Result<Totp> {
    Builder::new().with_secret(secret).build().map_err(|error| anyhow::anyhow!("{error}"))
}

/// Fresh recovery codes, and what is kept of them.
pub fn recovery_codes() -> anyhow::Result<(Vec<String>, BTreeSet<Digest>)> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; RECOVERY_CODE_CHARS];
        SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
        let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        codes.push(letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-"));
    }
    let digests = codes.iter().filter_map(|code| recovery_digest(code)).collect();
    Ok((codes, digests))
}

/// What is kept of a recovery code; `None` for what cannot be one. Dashes, spaces and case do not count.
pub fn recovery_digest(code: &str) -> Option<Digest> {
    let plain: Vec<u8> = code.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_lowercase()).collect();
    if plain.len() != RECOVERY_CODE_CHARS || !plain.iter().all(|byte| LETTERS.contains(byte)) {
        return None;
    }
    Some(digest_of(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authenticator_is_believed_within_a_step() {
        let (secret, url) = fresh("Café: Acme & Co", "ann+1@acme.example").unwrap();
        let label = "otpauth://totp/Caf%C3%A9%20%20Acme%20%26%20Co:ann%2B1%40acme.example?secret=";
        assert!(url.starts_with(label) && url.ends_with("issuer=Caf%C3%A9%20%20Acme%20%26%20Co"), "{url}");
        let totp = totp_of(Secret::try_from_base32(&secret).unwrap()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let step = step_of(&secret, &totp.generate(now).to_string()).unwrap();
        assert!(step.abs_diff(i64::try_from(now / 30).unwrap()) <= 1);
        assert_eq!(step_of(&secret, &totp.generate(now - 300).to_string()), None, "a code of five minutes ago");
        for wrong in ["", "abcdef", "1234567", "12345"] {
            assert_eq!(step_of(&secret, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let (codes, digests) = recovery_codes().unwrap();
        assert_eq!((codes.len(), digests.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for code in codes {
            let typed = code.replace('-', " ").to_uppercase();
            assert!(recovery_digest(&typed).is_some_and(|digest| digests.contains(&digest)), "a code is not known again");
        }
        assert_eq!(recovery_digest("0000-0000-0000-0000"), None);
    }
}
