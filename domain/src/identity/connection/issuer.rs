//! The name of an identity provider: an address, compared letter by letter (OpenID Connect Discovery 1.0, 4.3).

use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, net::IpAddr, str::FromStr};

const ISSUER_MAX_BYTES: usize = 500;

/// An issuer: `https://login.your.company/tenant`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer(String);

/// A text that is no address of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity.issuer_invalid")]
pub struct MalformedIssuer;

impl Issuer {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Without the port, and without the brackets of an IPv6 address.
    fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether it may be asked: by TLS at a name with a dot, so that an organization cannot send us to
    /// machines of our own network. In development a provider on this machine may be asked too.
    pub fn is_acceptable(&self, insecure_loopback: bool) -> bool {
        let host = self.host();
        let named =
            host.contains('.') && host.parse::<IpAddr>().is_err() && !host.ends_with(|last: char| last.is_ascii_digit() || last == '.');
        (self.is_https() && named) || (insecure_loopback && self.is_loopback())
    }
}

impl FromStr for Issuer {
    type Err = MalformedIssuer;

    fn from_str(text: &str) -> Result<Self, MalformedIssuer> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(MalformedIssuer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"'<>`{}|^%".contains(&byte));
        let host = rest.split('/').next().unwrap_or_default();
        match plain && text.len() <= ISSUER_MAX_BYTES && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[') {
            true => Ok(Self(text.to_owned())),
            false => Err(MalformedIssuer),
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({self})")
    }
}

impl Serialize for Issuer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acceptable(text: &str, insecure_loopback: bool) -> bool {
        text.parse::<Issuer>().unwrap().is_acceptable(insecure_loopback)
    }

    #[test]
    fn an_issuer_is_asked_by_https_at_a_name() {
        for good in ["https://login.acme.example", "https://login.acme.example:8443/tenant/v2.0", "https://a.b/"] {
            assert!(acceptable(good, false) && acceptable(good, true), "{good}");
        }
        let bad = [
            "http://login.acme.example",
            "https://localhost",
            "https://10.0.0.1",
            "https://127.1",
            "https://[::1]:443/",
            "https://metadata",
            "https://localhost.",
            "http://10.0.0.1",
        ];
        for bad in bad {
            assert!(!acceptable(bad, false), "{bad}");
        }
    }

    #[test]
    fn in_development_a_provider_on_this_machine_is_asked_too() {
        for good in ["http://127.0.0.1:4000", "http://localhost:4000/tenant", "http://[::1]:4000"] {
            assert!(acceptable(good, true) && !acceptable(good, false), "{good}");
        }
        for bad in ["http://10.0.0.1", "http://login.acme.example", "http://localhost.acme.example", "http://127.1"] {
            assert!(!acceptable(bad, true), "{bad}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_no_issuer() {
        let long = format!("https://a.b/{}", "c".repeat(ISSUER_MAX_BYTES));
        for bad in [
            "",
            "login.acme.example",
            "ftp://a.b",
            "https://",
            "https:///a",
            "https://a.b?x",
            "https://a.b#x",
            "https://x@a.b",
            "https://a b",
            "https://ä.b",
            &long,
        ] {
            assert_eq!(bad.parse::<Issuer>(), Err(MalformedIssuer), "{bad}");
        }
    }
}
