//! The text of an API key, and how a request shows one (P-33).
//!
//! A key names its organization and itself, so that it is found without a search, and holds 32
//! random bytes of which the log knows the SHA-256. The text is shown once, when the bytes are made.

use super::{
    call::Call,
    command::Prepare,
    credentials::{bearer, token_invalid},
    server::Services,
    session_secret::{Half, digest_of, fresh_half, read, write},
};
use crate::problem::Problem;
use palmares_commands::{engine::Answer, identity::TakesSecret};
use palmares_domain::kernel::{ApiKeyId, Digest, OrganizationId, Tenant};

/// The header in which a key may stand where `Authorization` is taken.
pub const API_KEY_HEADER: &str = "Palmares-Api-Key";

const PREFIX: &str = "pk_";

/// An API key as its holder has it.
pub struct ApiKeyText {
    pub organization: OrganizationId,
    pub key: ApiKeyId,
    secret: Half,
}

impl ApiKeyText {
    pub fn new(organization: OrganizationId, key: ApiKeyId, secret: Half) -> Self {
        Self { organization, key, secret }
    }

    pub fn text(&self) -> String {
        write(PREFIX, [self.organization.0, self.key.0], &[&self.secret])
    }

    pub fn parse(text: &str) -> Option<Self> {
        let ([organization, key], [secret]) = read(PREFIX, text)?;
        Some(Self { organization: organization.into(), key: key.into(), secret })
    }

    pub fn digest(&self) -> Digest {
        digest_of(&self.secret)
    }

    /// The key that a request shows; none where it shows something else, or nothing.
    ///
    /// # Errors
    /// What begins as a key and is none.
    pub fn in_request(call: &Call<'_>) -> Result<Option<Self>, Problem> {
        let text = match call.header("authorization") {
            Some(header) => bearer(header).filter(|text| text.starts_with(PREFIX)),
            None => call.header(API_KEY_HEADER).map(str::trim),
        };
        text.map(|text| Self::parse(text).ok_or_else(token_invalid)).transpose()
    }
}

/// Makes the secret of a key. The operation gets its digest; the first answer shows it, and no later one.
pub struct FreshSecret;

impl<O: TakesSecret + Send> Prepare<O> for FreshSecret {
    type Shown = Half;
    const FIELD: Option<&'static str> = Some("key");

    async fn prepare(mut operation: O, _: Tenant, _: &Services) -> Result<(O, Half), Problem> {
        let secret = fresh_half().map_err(Problem::internal)?;
        operation.take(digest_of(&secret));
        Ok((operation, secret))
    }

    fn show(secret: Half, tenant: Tenant, answer: Answer) -> Answer {
        let id = answer.0.get("id").and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
        match id {
            Some(key) => answer.with("key", ApiKeyText::new(tenant.organization(), key, secret).text()),
            None => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::session_secret::{CookieSecret, SessionName};
    use uuid::Uuid;

    #[test]
    fn a_key_reads_as_it_was_written() {
        let (organization, key) = (OrganizationId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));
        let secret = fresh_half().unwrap();
        let text = ApiKeyText::new(organization, key, secret.clone()).text();
        let read = ApiKeyText::parse(&text).unwrap();
        assert_eq!((read.organization, read.key, read.digest()), (organization, key, digest_of(&secret)));
    }

    #[test]
    fn what_is_not_a_key_is_none() {
        let id = Uuid::from_u128(1);
        let text = ApiKeyText::new(id.into(), id.into(), fresh_half().unwrap()).text();
        let name = SessionName { organization: id.into(), user: id.into(), session: id.into() };
        let cookie = CookieSecret { name, family: fresh_half().unwrap() }.text();
        let disguised = cookie.replace("pc_", PREFIX);
        for text in ["", "pk_", "pk_AAAA", &text[..text.len() - 1], &format!("{text}A"), &cookie, &disguised, &text.replace("pk_", "pk_*")]
        {
            assert!(ApiKeyText::parse(text).is_none(), "{text}");
        }
    }
}
