//! What the tokens of a session tell their holder.
//!
//! The address is told where it is the one on record and was shown to be the user's. Nothing is opened
//! for it: the credential in memory knows the mailbox that was proven, and it is the one on record where the
//! user claims it. That is looked up anew with each refresh, rather than kept with the session, where it would
//! outlive a change.

use super::meant::Meant;
use crate::{
    pipeline::{Mailbox, Services, Told},
    problem::Problem,
};
use palmares_domain::{
    identity::{EMAIL_LOOKUP, credential::Credential},
    organizations::organization::Organization,
};

/// What a token of somebody's tells.
pub async fn told(services: &Services, meant: &Meant) -> Result<Told, Problem> {
    let Meant { organization, user } = *meant;
    let engine = &services.engine;
    let slug = |found: &Organization| found.profile().map(|profile| profile.slug.clone());
    let org_slug = engine.look(organization, organization, slug).await?;
    let proven = |credential: &Credential| credential.verified_email().map(str::to_owned);
    let mailbox = match engine.look(organization, user, proven).await? {
        Some(email) if engine.holder(organization, EMAIL_LOOKUP, &email).await? == Some(user.0) => Some(Mailbox::verified(email)),
        _ => None,
    };
    Ok(Told { org_slug, mailbox })
}
