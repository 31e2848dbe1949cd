//! Secrets that the operator keeps in files: in a folder per organization, so that none can name another's.

use anyhow::{Context, bail};
use palmares_domain::kernel::OrganizationId;
use std::path::Path;
use zeroize::Zeroizing;

/// A secret is a line.
const SECRET_MAX_BYTES: usize = 4 * 1024;

/// The secret of an organization with this name.
///
/// # Errors
/// No folder of secrets, none of this name, or one that is empty or too long.
pub async fn secret(folder: Option<&Path>, organization: OrganizationId, name: &str) -> anyhow::Result<Zeroizing<String>> {
    let folder = folder.context("PALMARES_SECRETS_DIR is not set")?;
    let path = folder.join(organization.to_string()).join(name);
    let text = tokio::fs::read_to_string(&path).await.map(Zeroizing::new);
    let text = text.with_context(|| format!("reading the secret {}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.len() > SECRET_MAX_BYTES {
        bail!("the secret {} is empty or too long", path.display());
    }
    Ok(Zeroizing::new(secret.to_owned()))
}
