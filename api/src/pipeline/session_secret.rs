//! What a device keeps of its session: in a browser's cookie, or as a refresh token.
//!
//! A secret names its session, so that it is found without a search, and holds random bytes of which
//! the log knows only the SHA-256. A refresh token has two halves: the first stays the same for as
//! long as the session lasts and proves that the token was once ours, the second changes with each
//! use. So a token that was used already is told from one that somebody made up (E-109).

use aws_lc_rs::{
    constant_time, digest,
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use palmares_commands::digests;
use palmares_domain::kernel::{Digest, OrganizationId, SessionId, UserId};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The cookie of a browser. The prefix binds it to this host and to TLS (RFC 6265bis, 4.1.3.2).
pub const SESSION_COOKIE: &str = "__Host-palmares";
/// The header in which a page proves that it is ours (T-62).
pub const CSRF_HEADER: &str = "Palmares-Csrf";

const HALF: usize = 32;
const ID: usize = 16;
const COOKIE_PREFIX: &str = "pc_";
const REFRESH_PREFIX: &str = "pr_";

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionName {
    pub organization: OrganizationId,
    pub user: UserId,
    pub session: SessionId,
}

impl SessionName {
    fn ids(self) -> [Uuid; 3] {
        [self.organization.0, self.user.0, self.session.0]
    }

    fn of([organization, user, session]: [Uuid; 3]) -> Self {
        Self { organization: organization.into(), user: user.into(), session: session.into() }
    }
}

/// The half of a secret.
pub type Half = Zeroizing<[u8; HALF]>;

/// A fresh half.
///
/// # Errors
/// Where the system has no randomness to give.
pub fn fresh_half() -> anyhow::Result<Half> {
    let mut half = Zeroizing::new([0; HALF]);
    SystemRandom::new().fill(half.as_mut()).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(half)
}

/// What the log keeps of a half.
pub fn digest_of(half: &Half) -> Digest {
    digests::digest_of(half.as_ref())
}

/// Whether two digests are the same, in a time that does not tell how far they are.
pub fn same(one: Digest, other: Digest) -> bool {
    constant_time::verify_slices_are_equal(&one.0, &other.0).is_ok()
}

/// What the cookie of a browser holds.
pub struct CookieSecret {
    pub name: SessionName,
    pub family: Half,
}

impl CookieSecret {
    pub fn text(&self) -> String {
        write(COOKIE_PREFIX, self.name.ids(), &[&self.family])
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (ids, [family]) = read(COOKIE_PREFIX, text)?;
        Some(Self { name: SessionName::of(ids), family })
    }

    /// What a page has to say with each request that changes something. Only who has the cookie, or
    /// was told when it was set, can know it; it is stored nowhere.
    pub fn csrf(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"palmares/csrf");
        context.update(self.family.as_ref());
        URL_SAFE_NO_PAD.encode(context.finish())
    }
}

/// A refresh token.
pub struct RefreshSecret {
    pub name: SessionName,
    pub family: Half,
    pub current: Half,
}

impl RefreshSecret {
    pub fn text(&self) -> String {
        write(REFRESH_PREFIX, self.name.ids(), &[&self.family, &self.current])
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (ids, [family, current]) = read(REFRESH_PREFIX, text)?;
        Some(Self { name: SessionName::of(ids), family, current })
    }
}

/// A secret as text: whose it is, and its halves.
pub(super) fn write<const I: usize>(prefix: &str, ids: [Uuid; I], halves: &[&Half]) -> String {
    let mut bytes = Zeroizing::new(Vec::with_capacity(I * ID + halves.len() * HALF));
    ids.iter().for_each(|id| bytes.extend_from_slice(id.as_bytes()));
    halves.iter().for_each(|half| bytes.extend_from_slice(half.as_ref()));
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// What [`write`] wrote; `None` of any other text.
pub(super) fn read<const I: usize, const N: usize>(prefix: &str, text: &str) -> Option<([Uuid; I], [Half; N])> {
    let encoded = text.strip_prefix(prefix)?;
    // The length first: what is too long is not even decoded.
    let length = I * ID + N * HALF;
    if encoded.len() != length.div_ceil(3) * 4 - (3 - length % 3) % 3 {
        return None;
    }
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
    let (named, secret) = bytes.split_at_checked(I * ID)?;
    let mut ids = [Uuid::nil(); I];
    for (id, bytes) in ids.iter_mut().zip(named.chunks_exact(ID)) {
        *id = Uuid::from_slice(bytes).ok()?;
    }
    let mut halves = std::array::from_fn(|_| Zeroizing::new([0; HALF]));
    for (half, bytes) in halves.iter_mut().zip(secret.chunks_exact(HALF)) {
        half.copy_from_slice(bytes);
    }
    Some((ids, halves))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SessionName {
        let id = |number| Uuid::from_u128(number);
        SessionName { organization: id(1).into(), user: id(2).into(), session: id(3).into() }
    }

    #[test]
    fn a_secret_reads_as_it_was_written() {
        let (family, current) = (fresh_half().unwrap(), fresh_half().unwrap());
        let refresh = RefreshSecret { name: name(), family: family.clone(), current: current.clone() };
        let read = RefreshSecret::parse(&refresh.text()).unwrap();
        assert_eq!((read.name, read.family, read.current), (name(), family.clone(), current));
        let cookie = CookieSecret { name: name(), family: family.clone() };
        let read = CookieSecret::parse(&cookie.text()).unwrap();
        assert_eq!((read.name, read.csrf()), (name(), cookie.csrf()));
        assert!(same(digest_of(&read.family), digest_of(&family)));
    }

    #[test]
    fn what_is_not_a_secret_is_none() {
        let refresh = RefreshSecret { name: name(), family: fresh_half().unwrap(), current: fresh_half().unwrap() }.text();
        let cookie = CookieSecret { name: name(), family: fresh_half().unwrap() }.text();
        assert!(CookieSecret::parse(&refresh).is_none() && RefreshSecret::parse(&cookie).is_none());
        for text in ["", "pr_", "pc_AAAA", &refresh[..refresh.len() - 1], &format!("{refresh}A"), &refresh.replace("pr_", "pr_*")] {
            assert!(RefreshSecret::parse(text).is_none() && CookieSecret::parse(text).is_none(), "{text}");
        }
    }
}
