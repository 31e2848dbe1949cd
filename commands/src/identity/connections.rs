//! The connection of an organization to the identity provider at which its people sign in (A9, W-59).

use super::check_covers;
use crate::digests::digest_of_parts;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::store::ClaimKey;
use palmares_domain::{
    identity::{
        HeldRole, Role,
        connection::{self, Connection, ConnectionCommand, ConnectionKind, Issuer},
    },
    kernel::{Admission, Code, Digest, FieldError, OrganizationId, derive_uuid},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    ConfigureConnection => permit "identity.connection.configure", throttle Write;
    EnableConnection => permit "identity.connection.enable", throttle Write;
    DisableConnection => permit "identity.connection.disable", throttle Write;
}

fn connection_stream(organization: OrganizationId) -> StreamRef {
    StreamRef::of::<Connection>(organization, organization)
}

/// Held by the organization that signs its people in by this client of this provider, so that no
/// second one does: whom the provider vouches for belongs to one of them (W-22).
fn client_claim(issuer: &str, client_id: &str) -> ClaimKey {
    let key = derive_uuid("identity-connection-client", &[issuer.as_bytes(), client_id.as_bytes()]);
    ClaimKey { organization: OrganizationId::PLATFORM, key }
}

/// Who says by which provider people sign in can sign in as any of them, so only whoever may do all
/// that the organization's administrators may does (E-46).
fn check_may_decide_who_is_who(unit: &Unit<'_>) -> Result<(), Refused> {
    let most = if unit.organization() == OrganizationId::PLATFORM { Role::PlatformAdmin } else { Role::OrganizationAdmin };
    check_covers(unit, &HeldRole::built_in(most))
}

/// Connects the organization to an identity provider, in place of the one before. People sign in by
/// it once it is enabled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureConnection {
    pub organization_id: OrganizationId,
    /// `saml` is known and answered with `identity.saml_not_enabled`.
    #[serde(default)]
    pub kind: ConnectionKind,
    /// The provider's name for itself, as its discovery document writes it: `https://login.your.company`.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub issuer: String,
    /// What the provider calls this client. No other organization signs in by it.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub client_id: String,
    /// The name under which the operator keeps the client's secret; none for a public client.
    #[schema(min_length = 1, max_length = 100)]
    pub secret_ref: Option<String>,
    /// Asked for beside `openid`; `email` and `profile` where they are missing.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Whether a provider on this machine may do without TLS, as the settings say.
    #[serde(skip)]
    #[schema(ignore)]
    pub insecure_loopback: bool,
}

fn usual_scopes() -> Vec<String> {
    ["email", "profile"].map(str::to_owned).into()
}

impl Operation for ConfigureConnection {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![connection_stream(self.organization_id)]
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        vec![client_claim(&self.issuer, &self.client_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_decide_who_is_who(unit)?;
        let organization = self.organization_id;
        let held =
            |connection: &Connection| connection.provider().map(|provider| client_claim(provider.issuer.as_str(), &provider.client_id));
        let before = held(unit.state::<Connection>(organization)?);
        let configure = connection::ConfigureConnection {
            organization_id: organization,
            kind: self.kind,
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            secret_ref: self.secret_ref.clone(),
            scopes: self.scopes.clone(),
            insecure_loopback: self.insecure_loopback,
        };
        unit.run::<Connection>(organization, &ConnectionCommand::Configure(configure))?;
        let claim = client_claim(&self.issuer, &self.client_id);
        match unit.holder(claim) {
            Some(holder) if holder == Uuid::from(organization) => {}
            Some(_) => {
                let taken = Refused::new(Code::Conflict, "identity.connection_taken", "another organization signs in by this client");
                return Err(Refused { errors: vec![FieldError::new("client_id", "identity.connection_taken")], ..taken });
            }
            None => {
                if let Some(before) = before {
                    unit.release(before);
                }
                unit.claim(claim, organization);
            }
        }
        answer(unit, organization)
    }
}

/// Lets people sign in by the connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableConnection {
    pub organization_id: OrganizationId,
}

impl Operation for EnableConnection {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![connection_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_decide_who_is_who(unit)?;
        unit.run::<Connection>(self.organization_id, &ConnectionCommand::Enable)?;
        answer(unit, self.organization_id)
    }
}

/// Lets nobody sign in by the connection any more. Sessions that there are go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableConnection {
    pub organization_id: OrganizationId,
}

impl Operation for DisableConnection {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![connection_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Connection>(self.organization_id, &ConnectionCommand::Disable)?;
        answer(unit, self.organization_id)
    }
}

fn answer(unit: &mut Unit<'_>, organization: OrganizationId) -> Result<Answer, Refused> {
    let enabled = unit.state::<Connection>(organization)?.enabled().is_some();
    Ok(Answer::new("organization_id", organization, if enabled { "ENABLED" } else { "DISABLED" }))
}

/// The digest under which accounts at a provider are linked to users. A provider may call a person
/// differently towards each client (OpenID Connect Core 1.0, 8.1), so the client is part of it.
pub fn provider_digest(issuer: &Issuer, client_id: &str) -> Digest {
    digest_of_parts([issuer.as_str(), client_id])
}
