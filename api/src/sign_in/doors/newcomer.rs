//! From an accepted invitation to an account that may act (E-127, E-131).
//!
//! A newcomer sets a password and, where their role or the organization asks for it, enrols a second
//! factor; with the last of these the invitation is complete and the user is active, in one append. What
//! else may be asked of newcomers, such as consent (E-278), is no part of signing in.

use super::{DeviceFields, flag};
use crate::{
    pipeline::door::{Door, Opened, Visit},
    problem::Problem,
    sign_in::{
        challenge::{Challenge, Step},
        entrance::{self, Entry, SignInAnswer, SignInStatus, first_factor, refused_entry},
        invitation_token::{SetupToken, not_valid, read_setup_token},
        known::Known,
        meant::{Meant, found},
    },
};
use palmares_commands::identity::Enter;
use palmares_domain::identity::{
    credential::{CredentialAction, SetPassword},
    invitation::{Invitation, InvitationStatus},
    sessions::SignInMethod,
};
use palmares_projections::identity::invitations::invited_address;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Set the first password, with what accepting the invitation answered. Until everything is done the
/// token stays good, so that whoever is interrupted can go on; then it is good for nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteInvitation {
    pub setup_token: String,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
    pub device: Option<DeviceFields>,
    /// Answer tokens as well; without it the session lives in a cookie only.
    #[serde(rename = "$jwt", default, deserialize_with = "flag")]
    pub jwt: bool,
}

impl Door for CompleteInvitation {
    type Output = SignInAnswer;

    async fn open(self, visit: &Visit<'_>) -> Result<Opened<SignInAnswer>, Problem> {
        let services = visit.services;
        let password = Zeroizing::new(self.password);
        let named = read_setup_token(services.gate.tokens(), &self.setup_token).map_err(|_| not_valid())?;
        let SetupToken { organization, invitation, user } = named;
        services.desk.attempts.count(visit.address, "setup", &[&organization.to_string(), &user.to_string()])?;
        let meant = Meant { organization, user };
        let found = found(services, &meant).await?;
        let accepted = |known: &Invitation| known.terms().is_some_and(|terms| terms.status == InvitationStatus::Accepted);
        if !(found.is_newcomer() && services.engine.look(organization, invitation, accepted).await?) {
            return Err(not_valid());
        }
        let admitted = visit.admit(organization, user, None, "door.complete_invitation", ());
        let known = Known::of(services, admitted.tenant(), user).await?;
        let mut reader = services.readers.open(admitted.tenant(), None).await?;
        let address = invited_address(&mut reader, invitation).await?;
        drop(reader);
        let words: Vec<&str> = known.words().into_iter().chain(address.as_deref()).collect();
        services.desk.policy.check("password", &password, found.settings.password_min_length(), &words)?;
        let set = SetPassword { hash: services.desk.passwords.hash(password).await?, temporary: false };
        // The invitation came by mail, so whoever accepted it reads that mailbox.
        let verify = address.map(|email| CredentialAction::VerifyEmail { email });
        let actions = [CredentialAction::SetPassword(set)].into_iter().chain(verify).collect();
        let device = self.device.map(DeviceFields::told);
        let challenge = Challenge { invitation: Some(invitation), ..Challenge::of(&meant, SignInMethod::Invitation, device, self.jwt) };
        if !found.needs_second_factor() {
            let factors = first_factor(challenge.method);
            return entrance::enter(visit, &challenge, Entry { factors, actions, ..Entry::default() }).await;
        }
        let enter = Enter { entrant: challenge.entrant(), ..Enter::change(user, actions) };
        services.engine.execute(admitted.map(|()| enter)).await.map_err(refused_entry)?;
        entrance::ask(visit, &challenge, Step::Enrolment, SignInStatus::EnrolmentRequired, vec!["totp"])
    }
}
