//! Sign in at the identity provider of an organization (E-91, E-92, W-21).

use super::flag;
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::Challenge,
        entrance::{self, SignInAnswer, failed},
        federation::{Flow, is_own_path, not_connected},
        recognized::{Recognized, recognized},
    },
};
use palmares_commands::organizations::slug_claim;
use palmares_domain::{
    identity::{
        connection::{Connection, Provider},
        sessions::SignInMethod,
    },
    kernel::{Code, OrganizationId},
    organizations::organization::Organization,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an organization's people sign in by.
async fn provider_of(visit: &Visit<'_>, organization: OrganizationId) -> Result<Provider, Problem> {
    let engine = &visit.services.engine;
    if !engine.look(organization, organization, Organization::is_active).await? {
        return Err(not_connected());
    }
    let provider = engine.look(organization, organization, |connection: &Connection| connection.enabled().cloned()).await?;
    provider.ok_or_else(not_connected)
}

/// Go to the organization's identity provider to sign in. The provider sends the browser back to
/// `/auth/oidc/callback`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartOidc {
    /// The short name of the organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    /// Where the browser goes on once it is signed in: a path of this host.
    #[schema(max_length = 512)]
    pub redirect: Option<String>,
    /// Answer tokens at the end, as JSON and without a redirect.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

/// Where the browser is sent.
#[derive(Serialize, ToSchema)]
pub struct SentToProvider {
    pub location: String,
}

impl Door for StartOidc {
    type Output = SentToProvider;
    const STATUS: u16 = 302;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SentToProvider>, Problem> {
        if !self.redirect.as_deref().is_none_or(is_own_path) {
            return Err(Problem::invalid_field("redirect", "redirect_elsewhere"));
        }
        let organization = visit.services.engine.owner(slug_claim(&self.organization)).await?.map(OrganizationId);
        let organization = organization.ok_or_else(not_connected)?;
        let provider = provider_of(visit, organization).await?;
        let begun = visit.services.desk.federation.begin(&provider).await?;
        let flow = Flow {
            organization,
            issuer: provider.issuer.to_string(),
            client_id: provider.client_id,
            state: begun.state,
            nonce: begun.nonce,
            verifier: begun.verifier,
            redirect: self.redirect,
            jwt: self.jwt,
        };
        let location = begun.location;
        Ok(Opened { cookies: vec![flow.cookie(visit)?], location: Some(location.clone()), output: SentToProvider { location } })
    }
}

/// Come back from the identity provider. A browser is sent on to where it wanted to go, with
/// `status` and what the next step needs (`csrf_token` or `challenge`) behind the `#`.
// A provider may say more than is asked of it here, so other parameters are no fault.
#[derive(Deserialize, ToSchema)]
pub struct FinishOidc {
    pub state: String,
    pub code: Option<String>,
    /// Why the provider signed nobody in.
    pub error: Option<String>,
    /// The provider's name for itself (RFC 9207).
    pub iss: Option<String>,
}

impl Door for FinishOidc {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let flow = Flow::of(visit, &self.state)?;
        let provider = provider_of(visit, flow.organization).await?;
        // Since the start the organization may have gone to another provider.
        if provider.issuer.as_str() != flow.issuer || provider.client_id != flow.client_id {
            return Err(not_connected());
        }
        if self.iss.is_some_and(|issuer| issuer != flow.issuer) {
            return Err(failed());
        }
        let Some(code) = self.code.filter(|_| self.error.is_none()) else {
            return Err(Problem::new(Code::AuthenticationFailed, "sign_in.provider_refused"));
        };
        let vouched = visit.services.desk.federation.redeem(&provider, &flow, code).await?;
        let mut opened = match recognized(visit, &provider, vouched).await? {
            Recognized::Member(meant, found) => {
                let challenge = Challenge::of(&meant, SignInMethod::Oidc, None, flow.jwt);
                entrance::proceed(visit, challenge, &found).await?
            }
            Recognized::AwaitsApproval => SignInAnswer::awaits(false).into(),
        };
        opened.cookies.push(Flow::forgotten());
        if !flow.jwt {
            opened.location = Some(onward(flow.redirect.as_deref().unwrap_or("/"), &opened.output));
        }
        Ok(opened)
    }
}

/// The page to go on to. What it has to know stands behind the `#`, which no browser sends anywhere.
fn onward(path: &str, answer: &SignInAnswer) -> String {
    let mut fragment = form_urlencoded::Serializer::new(String::new());
    fragment.append_pair("status", answer.status.name());
    if let Some(challenge) = &answer.challenge {
        fragment.append_pair("challenge", challenge);
    }
    if let Some(session) = &answer.session {
        fragment.append_pair("csrf_token", &session.csrf_token);
    }
    format!("{path}#{}", fragment.finish())
}
