//! Invitations: those who may invite on one side, and on the other whoever holds a letter.

use crate::{
    pipeline::{
        Route, Services,
        command::Prepare,
        door::{Door, Opened, Visit},
        route::Verb,
    },
    problem::Problem,
    sign_in::{
        doors::CompleteInvitation,
        invitation_token::{InvitationToken, SetupToken, not_valid, read_invitation_token, setup_token},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_commands::{
    engine::{Engine, Rejection},
    identity::{AcceptInvitation, InviteUser, NeedsEmail, ResendInvitation, RevokeInvitation},
};
use palmares_domain::{
    identity::{
        RoleRef,
        invitation::{Invitation, InvitationStatus, Terms},
        role_catalogue::RoleCatalogue,
    },
    kernel::{OrganizationId, Tenant, UserId},
    organizations::organization::Organization,
};
use palmares_projections::identity::invitations::{GetInvitation, ListInvitations, invited_address};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::post::<InviteUser>("/organizations/{organization_id}/invitations").creating("/users", "user_id"),
    Route::post::<InviteUser>("/organizations/{organization_id}/invite").creating("/users", "user_id").alias(),
    Route::get::<GetInvitation>("/organizations/{organization_id}/invitations/{invitation_id}", "identity.invitation.read"),
    Route::get::<ListInvitations>("/invitations", "identity.invitation.read"),
    Route::prepared::<ResendInvitation, AddressLookedUp>(Verb::Post, "/invitations/{invitation_id}/resend"),
    Route::prepared::<RevokeInvitation, AddressLookedUp>(Verb::Post, "/invitations/{invitation_id}/revoke"),
    Route::door::<ShowInvitation>(Verb::Get, "/invitations/{token}"),
    Route::door::<TakeInvitation>(Verb::Post, "/invitations/accept"),
    Route::door::<CompleteInvitation>(Verb::Post, "/invitations/complete"),
];

/// How long whoever accepted may take to do what is asked of newcomers.
const SETUP_PATIENCE: TimeDelta = TimeDelta::hours(24);

/// Looks up where an invitation was sent, because the log keeps that sealed.
struct AddressLookedUp;

impl<O: NeedsEmail> Prepare<O> for AddressLookedUp {
    type Shown = ();

    async fn prepare(mut operation: O, tenant: Tenant, services: &Services) -> Result<(O, ()), Problem> {
        let mut reader = services.readers.open(tenant, None).await?;
        // Of an invitation that is not there the operation itself says so.
        if let Some(address) = invited_address(&mut reader, operation.invitation()).await? {
            operation.resolve(address.into());
        }
        Ok((operation, ()))
    }
}

/// What an invitation says to whoever holds its token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowInvitation {
    pub token: String,
}

#[derive(Serialize, ToSchema)]
pub struct InvitationShown {
    pub organization_name: String,
    /// The name of the role, built in or of the organization's own; missing where it was retired.
    pub role: Option<String>,
    /// Enough to recognize one's own address, such as `a***@acme.example`; missing once it was erased.
    pub email: Option<String>,
    pub expires_at: DateTime<Utc>,
    pub status: InvitationStatus,
}

impl Door for ShowInvitation {
    type Output = InvitationShown;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<InvitationShown>, Problem> {
        let Recognized { named, terms, organization_name } = recognized(visit, &self.token).await?;
        let admitted = visit.admit(named.organization, terms.user_id, None, "door.show_invitation", ());
        let mut reader = visit.services.readers.open(admitted.tenant(), None).await?;
        let email = invited_address(&mut reader, named.invitation).await?.map(|address| masked(&address));
        let role = role_name(&visit.services.engine, named.organization, terms.role).await?;
        Ok(InvitationShown { organization_name, role, email, expires_at: terms.expires_at, status: terms.status }.into())
    }
}

/// Accepts an invitation, once: the account is there, and waits for what is asked of newcomers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeInvitation {
    pub token: String,
}

#[derive(Serialize, ToSchema)]
pub struct InvitationTaken {
    pub status: InvitationStatus,
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    /// What is asked next.
    pub next: NextStep,
    /// Shows at the next step who accepted. Good for a day.
    pub setup_token: String,
}

/// What is asked of whoever accepted.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    SetPassword,
}

impl Door for TakeInvitation {
    type Output = InvitationTaken;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<InvitationTaken>, Problem> {
        let Recognized { named, terms, .. } = recognized(visit, &self.token).await?;
        let InvitationToken { organization, invitation, generation } = named;
        let accept = AcceptInvitation { invitation_id: invitation, user_id: terms.user_id, generation };
        let admitted = visit.admit(organization, terms.user_id, None, "door.accept_invitation", accept);
        visit.services.engine.execute(admitted).await.map_err(|rejection| match rejection {
            // Someone was quicker: used, revoked or sent again since it was looked at.
            Rejection::Refused(_) => not_valid(),
            other => other.into(),
        })?;
        let content = SetupToken { organization, invitation, user: terms.user_id };
        let setup_token =
            setup_token(visit.services.gate.tokens(), &content, visit.services.engine.now() + SETUP_PATIENCE).map_err(Problem::internal)?;
        Ok(InvitationTaken {
            status: InvitationStatus::Accepted,
            user_id: terms.user_id,
            organization_id: organization,
            next: NextStep::SetPassword,
            setup_token,
        }
        .into())
    }
}

/// An invitation that could be accepted now.
struct Recognized {
    named: InvitationToken,
    terms: Terms,
    organization_name: String,
}

/// The invitation that a token names.
///
/// # Errors
/// One and the same, whatever is wrong with the token or with what it names.
async fn recognized(visit: &Visit<'_>, token: &str) -> Result<Recognized, Problem> {
    let Services { engine, gate, .. } = visit.services;
    let named = read_invitation_token(gate.tokens(), token).map_err(|fault| {
        tracing::debug!(request_id = %visit.request_id, %fault, "an invitation's token was refused");
        not_valid()
    })?;
    let InvitationToken { organization, invitation, generation } = named;
    let name = |found: &Organization| found.profile().filter(|_| found.is_active()).map(|profile| profile.name.clone());
    let organization_name = engine.look(organization, organization, name).await?.ok_or_else(not_valid)?;
    let now = engine.now();
    let terms = engine.look(organization, invitation, |found: &Invitation| found.acceptable(generation, now).cloned()).await?;
    let terms = terms.map_err(|_| not_valid())?;
    Ok(Recognized { named, terms, organization_name })
}

async fn role_name(engine: &Engine, organization: OrganizationId, role: RoleRef) -> Result<Option<String>, Problem> {
    match role {
        RoleRef::BuiltIn(role) => Ok(Some(role.name().to_owned())),
        RoleRef::Custom(id) => {
            let name = |catalogue: &RoleCatalogue| catalogue.role(id).map(|role| role.name.clone());
            Ok(engine.look(organization, organization, name).await?)
        }
    }
}

/// The first letter and the domain: whoever holds the letter recognizes the address, and nobody learns it.
fn masked(address: &str) -> String {
    let (name, domain) = address.split_once('@').unwrap_or_default();
    let first: String = name.chars().take(1).collect();
    format!("{first}***@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_by_its_first_letter_and_its_domain() {
        assert_eq!(masked("ada.lovelace@acme.example"), "a***@acme.example");
        assert_eq!(masked("a@acme.example"), "a***@acme.example");
        assert_eq!(masked("élodie@exämple.fr"), "é***@exämple.fr");
    }
}
