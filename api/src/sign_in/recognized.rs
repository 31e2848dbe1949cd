//! Whom a provider vouches for: one of the organization's own users, and nobody else's (W-22).

use super::{
    entrance::failed,
    federation::Vouched,
    meant::{Found, Meant, found},
    record_failure,
};
use crate::{pipeline::door::Visit, problem::Problem};
use palmares_commands::{
    engine::{Operation, Rejection},
    identity::{JoinByProvider, LinkExternalIdentity, provider_digest},
};
use palmares_domain::{
    identity::{EMAIL_LOOKUP, EXTERNAL_IDENTITY_LOOKUP, connection::Provider, email_key, external_identity_key},
    kernel::{OrganizationId, UserId},
};
use uuid::Uuid;

/// The user whom the provider means: the one who is linked; else the one with the address that the
/// provider verified, who is linked now; else somebody new, where the organization lets them join.
///
/// # Errors
/// One and the same problem for whoever is not let in.
pub async fn recognized(visit: &Visit<'_>, provider: &Provider, vouched: Vouched) -> Result<(Meant, Found), Problem> {
    let (engine, organization) = (&visit.services.engine, provider.organization_id);
    let digest = provider_digest(&provider.issuer, &provider.client_id);
    let Vouched { subject, verified_email, name } = vouched;
    let key = external_identity_key(digest, &subject);
    if let Some(user) = engine.holder(organization, EXTERNAL_IDENTITY_LOOKUP, &key).await? {
        return let_in(visit, organization, UserId(user)).await;
    }
    let email = verified_email.ok_or_else(failed)?;
    if let Some(user) = engine.holder(organization, EMAIL_LOOKUP, &email_key(&email)).await?.map(UserId) {
        let (meant, _) = let_in(visit, organization, user).await?;
        let link = LinkExternalIdentity::new(user, digest, subject);
        execute(visit, &meant, "door.link_external_identity", link).await?;
        return let_in(visit, organization, user).await;
    }
    let newcomer = Meant { organization, user: UserId(Uuid::now_v7()) };
    let join = JoinByProvider::new(newcomer.user, digest, subject, email, name).ok_or_else(failed)?;
    execute(visit, &newcomer, "door.join_by_provider", join).await?;
    let_in(visit, organization, newcomer.user).await
}

async fn let_in(visit: &Visit<'_>, organization: OrganizationId, user: UserId) -> Result<(Meant, Found), Problem> {
    let meant = Meant { organization, user };
    let found = found(visit.services, &meant).await?;
    if found.may_act() {
        return Ok((meant, found));
    }
    record_failure(visit, &meant, &found);
    Err(failed())
}

/// What the rules refuse here, nobody is told: an account elsewhere that is another user's, a domain
/// whose people do not join by themselves.
async fn execute<O: Operation>(visit: &Visit<'_>, meant: &Meant, permission: &'static str, operation: O) -> Result<(), Problem> {
    let admitted = visit.admit(meant.organization, meant.user, None, permission, operation);
    match visit.services.engine.execute(admitted).await {
        Ok(_) => Ok(()),
        Err(Rejection::Refused(_)) => Err(failed()),
        Err(rejection) => Err(rejection.into()),
    }
}
