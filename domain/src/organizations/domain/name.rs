//! The name of a domain in its one form: ASCII, lower case, without a dot at the end (RFC 5890).

use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, str::FromStr};

/// Longest name (RFC 1035, 2.3.4, as text without the dot at the end).
const NAME_MAX_BYTES: usize = 253;
const LABEL_MAX_BYTES: usize = 63;

/// Domains whose mailboxes are for everyone: an address there proves nothing about who employs its holder.
const SHARED_MAIL: &[&str] = &[
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "live.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.fr",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "sfr.fr",
    "t-online.de",
    "tutanota.com",
    "wanadoo.fr",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];

/// Endings below which anyone registers names. The whole list (publicsuffix.org) changes weekly; these
/// are the ones that people type. None of them can be verified by a company anyway.
const PUBLIC_SUFFIXES: &[&str] = &[
    "ac.uk", "asso.fr", "co.in", "co.jp", "co.kr", "co.nz", "co.uk", "co.za", "com.au", "com.br", "com.cn", "com.fr", "com.hk", "com.mx",
    "com.sg", "com.tr", "gouv.fr", "gov.uk", "ne.jp", "net.au", "or.jp", "org.au", "org.uk",
];

/// A domain name, as it is compared.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(String);

/// A text that is no name of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("organizations.domain_name_invalid")]
pub struct MalformedDomain;

impl DomainName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain of an e-mail address.
    pub fn of_email(address: &str) -> Option<Self> {
        address.rsplit_once('@')?.1.parse().ok()
    }

    /// Whether anyone may have a mailbox or a name there.
    pub fn is_shared(&self) -> bool {
        SHARED_MAIL.contains(&self.as_str()) || PUBLIC_SUFFIXES.contains(&self.as_str())
    }
}

impl FromStr for DomainName {
    type Err = MalformedDomain;

    fn from_str(text: &str) -> Result<Self, MalformedDomain> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let name = idna::domain_to_ascii(text).map_err(|_| MalformedDomain)?;
        let label = |label: &str| {
            (1..=LABEL_MAX_BYTES).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let labels = name.split('.').count();
        // A name whose last label is a number would be read as an address.
        let numeric = name.rsplit('.').next().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        match labels >= 2 && !numeric && name.len() <= NAME_MAX_BYTES && name.split('.').all(label) {
            true => Ok(Self(name)),
            false => Err(MalformedDomain),
        }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainName({})", self.0)
    }
}

impl Serialize for DomainName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
