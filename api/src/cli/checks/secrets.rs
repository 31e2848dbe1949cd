//! Keys and passwords: there, well-formed, private, and nobody's default.

use super::Finding;
use crate::{
    cli::settings::{KeyStoreSettings, ServerSettings},
    pipeline::keys::{Ed25519Key, KeyFault},
};
use palmares_commands::privacy::{MasterKey, VaultKeyStore};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Passwords of manuals and images.
const DEFAULT_PASSWORDS: &[&str] =
    &["", "postgres", "palmares", "password", "secret", "changeme", "change-me", "admin", "root", "test", "example"];

pub fn check(settings: &ServerSettings) -> Vec<Finding> {
    let files = match &settings.keys {
        KeyStoreSettings::Vault(_) => Vec::new(),
        KeyStoreSettings::Files { master_key: file, folder } => vec![master_key(file), key_store(folder)],
    };
    let others = [token_key(&settings.jwt_key_file), database_password(&settings.database_url), exposure(settings)];
    files.into_iter().chain(others).collect()
}

/// Whether Vault, where it is given, answers and lets this token at its transit engine.
pub async fn vault(settings: &ServerSettings) -> Vec<Finding> {
    const SUBJECT: &str = "key store";
    let KeyStoreSettings::Vault(vault) = &settings.keys else { return Vec::new() };
    let checked = async { VaultKeyStore::new(vault.clone())?.check().await };
    let shown = format!("Vault at {}, engine {}", vault.address, vault.mount);
    match checked.await {
        Ok(()) if vault.address.scheme() == "https" => vec![Finding::good(SUBJECT, shown)],
        Ok(()) => vec![Finding::doubtful(SUBJECT, format!("{shown}: without TLS, so keys can be read on the way"))],
        Err(error) => vec![Finding::bad(SUBJECT, error.to_string())],
    }
}

fn master_key(path: &Path) -> Finding {
    const SUBJECT: &str = "master key";
    if let Err(error) = MasterKey::read(path) {
        return Finding::bad(SUBJECT, error.to_string());
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut digits: Vec<char> = text.trim().chars().collect();
    digits.sort_unstable();
    digits.dedup();
    // 64 random hexadecimal digits have fewer than 6 different ones about once in 10^24 keys.
    Finding::of(SUBJECT, digits.len() >= 6, path.display().to_string(), "it is not random: make one with `openssl rand -hex 32`")
}

/// The keys of production must outlive the process: a folder, and one that can be written.
fn key_store(folder: &Path) -> Finding {
    const SUBJECT: &str = "key store";
    match fs::metadata(folder) {
        Ok(meta) if !meta.is_dir() => Finding::bad(SUBJECT, format!("PALMARES_KEY_DIR {} is no folder", folder.display())),
        Ok(meta) if meta.permissions().mode() & 0o007 != 0 => {
            Finding::bad(SUBJECT, format!("{} is open to everyone here: run `chmod 700 {}`", folder.display(), folder.display()))
        }
        Ok(_) => Finding::good(SUBJECT, folder.display().to_string()),
        Err(error) => Finding::bad(SUBJECT, format!("PALMARES_KEY_DIR {} cannot be used: {error}", folder.display())),
    }
}

fn token_key(path: &Path) -> Finding {
    const SUBJECT: &str = "token key";
    let shown = path.display();
    let read = fs::metadata(path).and_then(|meta| fs::read_to_string(path).map(|pem| (meta.permissions().mode(), pem)));
    match read {
        Err(error) => Finding::bad(
            SUBJECT,
            format!("PALMARES_JWT_KEY_FILE {shown} cannot be read: {error}; make one with `openssl genpkey -algorithm ed25519`"),
        ),
        Ok((mode, _)) if mode & 0o037 != 0 => Finding::bad(SUBJECT, format!("{shown} lets others at it: run `chmod 600 {shown}`")),
        Ok((_, pem)) => match Ed25519Key::all_in(&pem) {
            Ok(keys) if keys.iter().all(|key| key.private_der().is_none()) => {
                Finding::bad(SUBJECT, format!("{shown}: {}", KeyFault::NoPrivateKey))
            }
            Ok(keys) => {
                let ids: Vec<_> = keys.iter().map(Ed25519Key::id).collect();
                Finding::good(SUBJECT, format!("{shown}, kid {}", ids.join(", ")))
            }
            Err(error) => Finding::bad(SUBJECT, format!("{shown}: {error}")),
        },
    }
}

fn database_password(url: &str) -> Finding {
    const SUBJECT: &str = "database password";
    let credentials = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(credentials, _)| credentials);
    match credentials.and_then(|credentials| credentials.split_once(':')) {
        Some((_, password)) if DEFAULT_PASSWORDS.contains(&password.to_ascii_lowercase().as_str()) => {
            Finding::bad(SUBJECT, "it is a well-known one: choose a random one with ALTER ROLE")
        }
        Some(_) => Finding::good(SUBJECT, "not a well-known one"),
        None => Finding::doubtful(SUBJECT, "none in DATABASE_URL: is the login protected in another way, such as a certificate?"),
    }
}

fn exposure(settings: &ServerSettings) -> Finding {
    match settings.bind.ip().is_loopback() {
        true => Finding::good("exposure", format!("{} answers this machine only", settings.bind)),
        false => Finding::doubtful("exposure", format!("{} answers the network: is TLS ended in front of it?", settings.bind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_passwords_are_refused() {
        for bad in ["postgres://palmares:palmares@db/palmares", "postgres://palmares:@db/palmares", "postgres://a:Postgres@db/p"] {
            assert!(database_password(bad).failure().is_some(), "{bad}");
        }
        assert!(database_password("postgres://palmares:0f3a9c@db/palmares").failure().is_none());
        assert!(database_password("postgres://palmares@db/palmares").failure().is_none());
    }

    #[test]
    fn missing_and_constant_keys_are_refused_with_advice() {
        let folder = std::env::temp_dir().join(format!("palmares-secrets-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("master.key");
        assert!(master_key(&path).failure().is_some_and(|advice| advice.contains("openssl rand -hex 32")));
        fs::write(&path, "0".repeat(64)).expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert!(master_key(&path).failure().is_some_and(|advice| advice.contains("not random")));
        assert!(token_key(&path).failure().is_some_and(|advice| advice.contains("Ed25519")));
        assert!(key_store(&path).failure().is_some());
        fs::remove_dir_all(&folder).expect("remove");
    }
}
