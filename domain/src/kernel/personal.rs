//! Personal data: a value that never stands in clear in an event, a message or a snapshot (design 7).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::fmt;
use uuid::Uuid;

/// Why personal data is kept. Each purpose of a subject has a data key of its own, so that
/// health data can be destroyed while payroll stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Profile,
    Health,
    Reward,
    Hr,
    /// Where a request came from: address, user agent, device.
    Security,
    /// What was written about a case, such as a breach, and is of no one person. Its subject is the case
    /// itself, and its key goes with the last of its organization.
    Case,
}

impl Purpose {
    pub const ALL: [Purpose; 6] = [Purpose::Profile, Purpose::Health, Purpose::Reward, Purpose::Hr, Purpose::Security, Purpose::Case];
    /// Those for which something of a person is kept, and destroyed with what else is kept of them.
    pub const OF_PEOPLE: [Purpose; 5] = [Purpose::Profile, Purpose::Health, Purpose::Reward, Purpose::Hr, Purpose::Security];

    /// Whether the subject is a person.
    pub fn is_of_people(self) -> bool {
        self != Purpose::Case
    }

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Profile => "profile",
            Purpose::Health => "health",
            Purpose::Reward => "reward",
            Purpose::Hr => "hr",
            Purpose::Security => "security",
            Purpose::Case => "case",
        }
    }

    /// The purpose of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A SHA-256: of a ciphertext, what an event keeps of a personal value; of a secret, what is kept to know it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The hexadecimal digits, in `digits`: every event with a personal field has some, and formatting them
    /// byte by byte took longer than making the digest.
    fn hex<'d>(&self, digits: &'d mut [u8; 64]) -> &'d str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hex(&mut [0; 64]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() != 64 {
            return Err(format!("a digest has 64 hexadecimal digits, not {}", text.len()));
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            b'A'..=b'F' => Ok(byte - b'A' + 10),
            _ => Err("a digest has hexadecimal digits only".to_owned()),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.hex(&mut [0; 64]))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A personal value of one data subject and purpose.
///
/// It is `Clear` between the caller and the seal, and again where a holder of the key opened it;
/// everywhere else it is the digest of a ciphertext that stands beside the event. Serialising a
/// clear value is an error, so that forgetting to seal cannot leak.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    Clear(T),
    /// Clear here, and already sealed in the log under this digest.
    Opened(T, Digest),
    Sealed(Digest),
}

impl<T> Personal<T> {
    /// The value, where this holder may see it.
    pub fn clear(&self) -> Option<&T> {
        match self {
            Personal::Clear(value) | Personal::Opened(value, _) => Some(value),
            Personal::Sealed(_) => None,
        }
    }

    /// The digest of the ciphertext, once sealed.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Personal::Clear(_) => None,
            Personal::Opened(_, digest) | Personal::Sealed(digest) => Some(*digest),
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digest() {
            None => f.write_str("Personal(clear, hidden)"),
            Some(digest) => write!(f, "Personal({digest})"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedForm {
    sealed: Digest,
}

impl<T> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.digest() {
            Some(sealed) => SealedForm { sealed }.serialize(serializer),
            None => Err(serde::ser::Error::custom("a personal value must be sealed before it is written")),
        }
    }
}

impl<'de, T> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SealedForm::deserialize(deserializer).map(|form| Personal::Sealed(form.sealed))
    }
}

/// A personal field seen without its type: what the engine needs to seal and to open it.
pub trait Sealable {
    /// Whether the value is clear and not sealed yet.
    fn is_clear(&self) -> bool;
    /// The bytes to seal, where the value is clear and not sealed yet.
    fn to_seal(&self) -> Option<Result<Vec<u8>, serde_json::Error>>;
    /// The digest, where the value is sealed.
    fn sealed_digest(&self) -> Option<Digest>;
    /// Records the digest of the ciphertext; a clear value stays readable to its holder.
    fn set_sealed(&mut self, digest: Digest);
    /// Drops the clear value and keeps the digest: what a stream that only carries the value sees.
    fn forget(&mut self);
    /// Puts the opened value in place of its digest.
    fn open(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error>;
}

impl<T: Serialize + DeserializeOwned> Sealable for Personal<T> {
    fn is_clear(&self) -> bool {
        matches!(self, Personal::Clear(_))
    }

    fn to_seal(&self) -> Option<Result<Vec<u8>, serde_json::Error>> {
        match self {
            Personal::Clear(value) => Some(serde_json::to_vec(value)),
            _ => None,
        }
    }

    fn sealed_digest(&self) -> Option<Digest> {
        self.digest()
    }

    fn set_sealed(&mut self, digest: Digest) {
        *self = match std::mem::replace(self, Personal::Sealed(digest)) {
            Personal::Clear(value) | Personal::Opened(value, _) => Personal::Opened(value, digest),
            Personal::Sealed(_) => Personal::Sealed(digest),
        };
    }

    fn forget(&mut self) {
        if let Personal::Opened(_, digest) = self {
            *self = Personal::Sealed(*digest);
        }
    }

    fn open(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        if let Personal::Sealed(digest) = self {
            *self = Personal::Opened(serde_json::from_slice(bytes)?, *digest);
        }
        Ok(())
    }
}

impl<S: Sealable> Sealable for Option<S> {
    fn is_clear(&self) -> bool {
        self.as_ref().is_some_and(Sealable::is_clear)
    }
    fn to_seal(&self) -> Option<Result<Vec<u8>, serde_json::Error>> {
        self.as_ref().and_then(Sealable::to_seal)
    }
    fn sealed_digest(&self) -> Option<Digest> {
        self.as_ref().and_then(Sealable::sealed_digest)
    }
    fn set_sealed(&mut self, digest: Digest) {
        if let Some(value) = self {
            value.set_sealed(digest);
        }
    }
    fn forget(&mut self) {
        if let Some(value) = self {
            value.forget();
        }
    }
    fn open(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        self.as_mut().map_or(Ok(()), |value| value.open(bytes))
    }
}

/// Walks the personal fields of an event, in the order of their declaration.
pub trait PersonalVisitor {
    fn field(&mut self, name: &'static str, subject: Uuid, purpose: Purpose, value: &mut dyn Sealable);
}

/// Where a ciphertext belongs. The place is bound to it as associated data, so a ciphertext that
/// is moved to another organization, record or field does not decrypt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub organization: super::OrganizationId,
    /// The data subject: a person, or a case.
    pub subject: Uuid,
    pub purpose: Purpose,
    /// What holds it, such as `event/user/<stream id>` or `read_model/leaderboards`.
    pub container: String,
    /// The record within the container, such as the event id.
    pub id: Uuid,
    pub field: String,
}

impl Place {
    /// The place of a personal field of an event.
    pub fn in_event(
        organization: super::OrganizationId,
        stream: (&str, Uuid),
        event: super::EventId,
        field: &str,
        subject: Uuid,
        purpose: Purpose,
    ) -> Self {
        Self { organization, subject, purpose, container: format!("event/{}/{}", stream.0, stream.1), id: event.0, field: field.to_owned() }
    }

    /// The place of a client context: where the write side seals it and the read side opens it.
    pub fn of_client_context(organization: super::OrganizationId, subject: Uuid, id: Uuid) -> Self {
        let (container, field) = ("client_context".to_owned(), "context".to_owned());
        Self { organization, subject, purpose: Purpose::Security, container, id, field }
    }

    /// The associated data: every part with its length before it, so no two places share theirs.
    pub fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(96 + self.container.len() + self.field.len());
        for part in [
            self.organization.0.as_bytes().as_slice(),
            self.subject.as_bytes(),
            self.purpose.name().as_bytes(),
            self.container.as_bytes(),
            self.id.as_bytes(),
            self.field.as_bytes(),
        ] {
            data.extend_from_slice(&(part.len() as u32).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}
