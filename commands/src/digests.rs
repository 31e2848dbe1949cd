//! SHA-256 as the log keeps it.

use aws_lc_rs::digest;
use palmares_domain::kernel::Digest;

/// Of some bytes, such as a ciphertext or a secret.
pub fn digest_of(bytes: &[u8]) -> Digest {
    made(digest::digest(&digest::SHA256, bytes))
}

/// Of several texts, each with its length before it, so that no two lists share theirs.
pub fn digest_of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    made(context.finish())
}

fn made(digest: digest::Digest) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Digest(bytes)
}
