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
        (self.is_https() && is_name(self.host())) || (insecure_loopback && self.is_loopback())
    }
}

/// Whether a host is a name with a dot, and to nobody an address. Clients read as an IPv4 address whatever
/// ends in a number (WHATWG URL, 3.5), `1.2.3.0xfe` too, and ask no resolver for it.
fn is_name(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = hexadecimal
        .map_or_else(|| last.bytes().all(|byte| byte.is_ascii_digit()), |digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.contains('.') && !last.is_empty() && !is_number && !host.contains(':')
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
        let good = [
            "https://login.acme.example",
            "https://login.acme.example:8443/tenant/v2.0",
            "https://a.b/",
            "https://169.254.169.0xfg",
            "https://login.tenant7",
        ];
        for good in good {
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
            "https://login.acme.example.",
            "http://10.0.0.1",
            // What clients take for an address all the same.
            "https://1.2.3.4",
            "https://1.2.3.4./",
            "https://169.254.169.0xfe",
            "https://169.254.169.0XFE:443/in",
            "https://10.0.0.0xa",
            "https://10.0.0.0xA",
            "https://10.0.0.0x",
            "https://10.0x7f",
            "https://127.0.0.010",
            "https://login.acme.example.7",
            "https://[::1]",
            "https://[::ffff:10.0.0.1]",
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
