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
    identity::{AskSignup, JoinByProvider, LinkExternalIdentity, NewUser, ProveSignupEmail, provider_digest},
};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, EXTERNAL_IDENTITY_LOOKUP, SIGNUP_EMAIL_LOOKUP,
        connection::Provider,
        email_key, external_identity_key,
        signup::{Signup, SignupStatus},
    },
    kernel::{OrganizationId, UserId},
    organizations::domain::{AutoJoin, Domain, DomainName, domain_id},
};
use uuid::Uuid;

/// Whom a provider means.
pub enum Recognized {
    Member(Meant, Box<Found>),
    /// Somebody new, who joins once somebody approves.
    AwaitsApproval,
}

/// The user whom the provider means: the one who is linked; else the one with the address that the
/// provider verified, who is linked now; else somebody new, where the organization lets them join or ask to.
///
/// # Errors
/// One and the same problem for whoever is not let in.
pub async fn recognized(visit: &Visit<'_>, provider: &Provider, vouched: Vouched) -> Result<Recognized, Problem> {
    let (engine, organization) = (&visit.services.engine, provider.organization_id);
    let digest = provider_digest(&provider.issuer, &provider.client_id);
    let Vouched { subject, verified_email, name } = vouched;
    let key = external_identity_key(digest, &subject);
    if let Some(user) = engine.holder(organization, EXTERNAL_IDENTITY_LOOKUP, &key).await? {
        return let_in(visit, organization, UserId(user)).await;
    }
    let email = verified_email.ok_or_else(failed)?;
    if let Some(user) = engine.holder(organization, EMAIL_LOOKUP, &email_key(&email)).await?.map(UserId) {
        let_in(visit, organization, user).await?;
        let meant = Meant { organization, user };
        let link = LinkExternalIdentity::new(user, digest, subject);
        execute(visit, &meant, "door.link_external_identity", link).await?;
        return let_in(visit, organization, user).await;
    }
    if joins_by_approval(visit, organization, &email).await? {
        return ask_to_join(visit, organization, email, name).await;
    }
    let newcomer = Meant { organization, user: UserId(Uuid::now_v7()) };
    let join = JoinByProvider::new(newcomer.user, digest, subject, email, name).ok_or_else(failed)?;
    execute(visit, &newcomer, "door.join_by_provider", join).await?;
    let_in(visit, organization, newcomer.user).await
}

/// Whether people of the address's domain join once somebody approves.
async fn joins_by_approval(visit: &Visit<'_>, organization: OrganizationId, email: &str) -> Result<bool, Problem> {
    let Some(domain) = DomainName::of_email(email) else { return Ok(false) };
    let by_approval = |domain: &Domain| domain.is_verified() && domain.auto_join() == AutoJoin::Approval;
    Ok(visit.services.engine.look(organization, domain_id(organization, &domain), by_approval).await?)
}

/// Puts somebody into the queue of those who wait for an approval, unless they are in it. A sign-up that
/// waits for a link goes on: the provider's word proves the address as well.
async fn ask_to_join(visit: &Visit<'_>, organization: OrganizationId, email: String, name: Option<String>) -> Result<Recognized, Problem> {
    let engine = &visit.services.engine;
    let Some(user) = engine.holder(organization, SIGNUP_EMAIL_LOOKUP, &email_key(&email)).await?.map(UserId) else {
        let newcomer = Meant { organization, user: UserId(Uuid::now_v7()) };
        let ask = AskSignup::by_provider(newcomer.user, email.into(), name);
        execute(visit, &newcomer, "door.sign_up_by_provider", ask).await?;
        return Ok(Recognized::AwaitsApproval);
    };
    let signup = engine.state::<Signup>(organization, user).await?;
    if let Ok((_, person)) = signup.provable(None, engine.now()) {
        let prove = ProveSignupEmail { user_id: user, person: NewUser::of(user, person), by_link: None };
        execute(visit, &Meant { organization, user }, "door.sign_up_by_provider", prove).await?;
    }
    let status = |signup: &Signup| signup.terms().map(|terms| terms.status);
    match engine.look(organization, user, status).await? {
        Some(SignupStatus::AwaitingApproval) => Ok(Recognized::AwaitsApproval),
        Some(SignupStatus::Active) => let_in(visit, organization, user).await,
        _ => Err(failed()),
    }
}

async fn let_in(visit: &Visit<'_>, organization: OrganizationId, user: UserId) -> Result<Recognized, Problem> {
    let meant = Meant { organization, user };
    let found = found(visit.services, &meant).await?;
    if found.may_sign_in() {
        return Ok(Recognized::Member(meant, Box::new(found)));
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
