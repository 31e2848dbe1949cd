//! For whom we ask: the token by which a service that is called learns the organization, and that it is we who call (E-84).
//!
//! Its keys are those of access tokens, so anybody verifies it by `/.well-known/jwks.json`; its audience is the one
//! service, so it is worth nothing at another, and nothing here.

use super::{TokenKeys, keys::KeyFault};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::kernel::OrganizationId;
use reqwest::Url;
use serde::Serialize;

/// The header of requests that carries it.
pub const TENANT_CONTEXT: &str = "Palmares-Tenant";
/// A request is not on its way for longer.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(2);
/// In the header of the token, so that it is taken for no other (RFC 8725, 3.11).
const TYPE: &str = "tenant-context+jwt";

#[derive(Serialize)]
struct TenantContext<'a> {
    iss: &'a str,
    /// The origin of the service.
    aud: String,
    organization_id: OrganizationId,
    env: String,
    iat: i64,
    exp: i64,
}

impl TokenKeys {
    /// That a request to `url` is made for this organization.
    ///
    /// # Errors
    /// Where no private key was given.
    pub fn tenant_context(&self, organization: OrganizationId, url: &Url, now: DateTime<Utc>) -> Result<String, KeyFault> {
        let context = TenantContext {
            iss: self.issuer(),
            aud: url.origin().ascii_serialization(),
            organization_id: organization,
            env: self.environment().to_string(),
            iat: now.timestamp(),
            exp: (now + GOOD_FOR).timestamp(),
        };
        self.sign_as(TYPE, &context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::keys::generate_pem;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
    use serde_json::Value;
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

    // covers: E-84
    #[test]
    fn a_service_verifies_by_public_keys_for_whom_it_is_asked_and_for_nobody_else() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let token = keys.tenant_context(ACME, &"https://siem.acme.example:8443/in?x=1".parse().unwrap(), Utc::now()).unwrap();
        let set: JwkSet = serde_json::from_value(keys.jwks()).unwrap();
        let verified = |token: &str, audience: &str| {
            let header = jsonwebtoken::decode_header(token)?;
            let key = DecodingKey::from_jwk(set.find(&header.kid.unwrap()).unwrap())?;
            let mut validation = Validation::new(Algorithm::EdDSA);
            validation.set_audience(&[audience]);
            validation.set_issuer(&["https://palmares.test"]);
            jsonwebtoken::decode::<Value>(token, &key, &validation)
        };
        let claims = verified(&token, "https://siem.acme.example:8443").unwrap().claims;
        assert_eq!(claims["organization_id"], serde_json::json!(ACME));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().typ.as_deref(), Some(TYPE));
        assert!(verified(&token, "https://siem.other.example").is_err(), "another service");
        // Another organization in it, under the same signature.
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let mut other = claims.clone();
        other["organization_id"] = serde_json::json!(OrganizationId(Uuid::from_u128(2)));
        let swapped = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(other.to_string()));
        assert!(verified(&swapped, "https://siem.acme.example:8443").is_err());
        // It lets nobody in here, and is over in minutes.
        assert!(keys.verify(&token).is_err());
        let over = keys.tenant_context(ACME, &"https://siem.acme.example:8443".parse().unwrap(), Utc::now() - TimeDelta::hours(1)).unwrap();
        assert!(verified(&over, "https://siem.acme.example:8443").is_err());
    }
}
