//! What the tokens of a session tell their holder.
//!
//! The address is told where it is the one on record and was shown to be the user's. Nothing is opened
//! for it: the credential in memory knows the mailbox that was proven, and whether it is the one on record
//! shows in the keyed hash under which the user claims it. That costs a hash and no query, so it is found
//! anew with each refresh, rather than kept with the session, where it would outlive a change.

use super::meant::Meant;
use crate::{
    pipeline::{Mailbox, Services, Told},
    problem::Problem,
};
use palmares_domain::{
    identity::{EMAIL_LOOKUP, credential::Credential, user::User},
    organizations::organization::Organization,
};

/// What a token of somebody's tells.
pub async fn told(services: &Services, meant: &Meant) -> Result<Told, Problem> {
    let Meant { organization, user } = *meant;
    let engine = &services.engine;
    let slug = |found: &Organization| found.profile().map(|profile| profile.slug.clone());
    let org_slug = engine.look(organization, organization, slug).await?;
    let on_record = engine.look(organization, user, |user: &User| user.profile().and_then(|profile| profile.email_claim)).await?;
    let proven = |credential: &Credential| credential.verified_email().map(str::to_owned);
    let mailbox = match engine.look(organization, user, proven).await? {
        Some(email) if on_record == Some(engine.lookup_key(organization, EMAIL_LOOKUP, &email).await?) => Some(Mailbox::verified(email)),
        _ => None,
    };
    Ok(Told { org_slug, mailbox })
}
