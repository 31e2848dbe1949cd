//! What users change about how they sign in, once they are in; and the password that somebody else gives them.

use super::{
    doors::Enrolment,
    entrance::failed,
    known::Known,
    mailing::{Sent, issue},
    meant::{Found, Meant, found},
    pass_token::fresh_pass,
    totp,
};
use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
};
use palmares_commands::{engine::Operation, identity::Enter};
use palmares_domain::{
    identity::{
        RoleRef,
        credential::{CredentialAction, PassKind},
        user::{PersonName, User},
    },
    kernel::{Admitted, Code, OrganizationId, SessionId, UserId},
    organizations::{Locale, organization::Organization},
};
use palmares_projections::identity::directory::{OwnNames, own_names};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// What became of it.
#[derive(Serialize, ToSchema)]
pub struct Changed {
    pub status: &'static str,
    /// Shown once: each stands in for the authenticator once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
}

impl Changed {
    pub(super) fn new(status: &'static str) -> Self {
        Self { status, recovery_codes: Vec::new() }
    }
}

pub(super) async fn own<A>(admitted: &Admitted<A>, services: &Services) -> Result<(Meant, Found), Problem> {
    let admission = admitted.admission();
    let meant = Meant { organization: admission.organization, user: admission.actor };
    let found = found(services, &meant).await?;
    Ok((meant, found))
}

pub(super) async fn execute<A, O: Operation>(admitted: Admitted<A>, services: &Services, operation: O) -> Result<(), Problem> {
    services.engine.execute(admitted.map(|_| operation)).await?;
    Ok(())
}

/// Who this is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhoAmI {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

/// The caller, as the gate sees them.
#[derive(Serialize, ToSchema)]
pub struct Me {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
    #[schema(value_type = Option<Uuid>)]
    pub session_id: Option<SessionId>,
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<RoleRef>,
    pub has_password: bool,
    /// Whether an authenticator is enrolled.
    pub has_totp: bool,
    /// The telephone that is a second factor; missing where none is.
    pub phone: Option<String>,
    pub recovery_codes_left: usize,
    /// Where letters go; missing where there is no address, and once erased.
    pub email: Option<String>,
    /// Whether it was shown that the address is the user's.
    pub email_verified: bool,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub display_name: Option<String>,
    /// Of letters and of the texts of problems; the organization's where it is missing.
    pub language: Option<Locale>,
    /// A name of the time zone database; the organization's where it is missing.
    pub time_zone: Option<String>,
    pub notifications: Notifications,
}

/// What letters may be about, beside those that the user asks for.
#[derive(Serialize, ToSchema)]
pub struct Notifications {
    /// Always: nobody does without them.
    pub security: bool,
    pub product_news: bool,
}

impl Action for WhoAmI {
    type Output = Me;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Me, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        let said = |user: &User| user.profile().map(|profile| (profile.names.clone(), profile.preferences.clone())).unwrap_or_default();
        let (has, preferences) = services.engine.look(meant.organization, meant.user, said).await?;
        let mut reader = services.readers.open(admitted.tenant(), None).await?;
        let OwnNames { email, mut names } = own_names(&mut reader, meant.user).await?;
        drop(reader);
        names.retain(|name, _| has.contains(name));
        let admission = admitted.admission();
        Ok(Me {
            user_id: meant.user,
            organization_id: meant.organization,
            session_id: admission.session,
            roles: admission.rights.roles().collect(),
            has_password: found.credential.password().is_some(),
            has_totp: found.credential.has_totp(),
            phone: found.credential.phone().map(str::to_owned),
            recovery_codes_left: found.credential.recovery_codes_left(),
            email_verified: email.as_ref().is_some_and(|email| found.credential.has_verified(email)),
            email,
            given_name: names.remove(&PersonName::GivenName),
            family_name: names.remove(&PersonName::FamilyName),
            display_name: names.remove(&PersonName::DisplayName),
            language: preferences.language,
            time_zone: preferences.time_zone.map(|zone| zone.name().to_owned()),
            notifications: Notifications { security: true, product_news: preferences.product_news.unwrap_or(false) },
        })
    }
}

/// Change one's own password. Every other session ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(max_length = 128)]
    pub current_password: String,
    #[schema(min_length = 12, max_length = 128)]
    pub new_password: String,
}

impl Action for ChangePassword {
    type Output = Changed;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(mut admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        let given = admitted.value_mut();
        let (current, new) =
            (Zeroizing::new(std::mem::take(&mut given.current_password)), Zeroizing::new(std::mem::take(&mut given.new_password)));
        services.desk.attempts.count_own("password", meant.user)?;
        let hash = found.credential.password().map(|password| password.hash.clone());
        if !services.desk.passwords.verify(current, hash).await? {
            return Err(Problem::invalid_field("current_password", "password_wrong"));
        }
        let known = Known::of(services, admitted.tenant(), meant.user).await?;
        services.desk.policy.check("new_password", &new, found.settings.password_min_length(), &known.words())?;
        let action = CredentialAction::ChangePassword { hash: services.desk.passwords.hash(new).await? };
        let keep = admitted.admission().session;
        let enter = Enter { end_others: true, keep, ..Enter::change(meant.user, vec![action]) };
        execute(admitted, services, enter).await?;
        Ok(Changed::new("CHANGED"))
    }
}

/// Give a user a password for the first time, or in place of a lost one. They have to set their own
/// before anything else, and every session of theirs ends (E-136).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTemporaryPassword {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(min_length = 12, max_length = 128)]
    pub password: String,
}

impl Action for SetTemporaryPassword {
    type Output = Changed;
    const RECORDED: bool = false;

    async fn perform(mut admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let password = Zeroizing::new(std::mem::take(&mut admitted.value_mut().password));
        let organization = admitted.admission().organization;
        let length_min = |organization: &Organization| organization.settings().password_min_length();
        let length_min = services.engine.look(organization, organization, length_min).await?;
        let known = Known::of(services, admitted.tenant(), admitted.value().user_id).await?;
        services.desk.policy.check("password", &password, length_min, &known.words())?;
        let hash = services.desk.passwords.hash(password).await?;
        let operation = palmares_commands::identity::SetTemporaryPassword { user_id: admitted.value().user_id, hash };
        execute(admitted, services, operation).await?;
        Ok(Changed::new("TEMPORARY"))
    }
}

/// Ask for a link that shows that the mailbox is one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskEmailVerification {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

impl Action for AskEmailVerification {
    type Output = Sent;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Sent, Problem> {
        let pass_id = fresh_pass(None);
        issue(&services.engine, &services.readers, admitted.map(drop), PassKind::EmailVerification, pass_id).await?;
        Ok(Sent::ANSWER)
    }
}

/// Begin to enrol an authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginTotpEnrolment {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

impl Action for BeginTotpEnrolment {
    type Output = Enrolment;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Enrolment, Problem> {
        let user = admitted.admission().actor;
        let known = Known::of(services, admitted.tenant(), user).await?;
        let (secret, otpauth_url) = totp::fresh(&known.organization.name, &known.account()).map_err(Problem::internal)?;
        execute(admitted, services, Enter::change(user, vec![CredentialAction::BeginTotp { secret: secret.clone() }])).await?;
        Ok(Enrolment { secret, otpauth_url })
    }
}

/// Show that the authenticator has the secret. The recovery codes are shown once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotpEnrolment {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

impl Action for ConfirmTotpEnrolment {
    type Output = Changed;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        services.desk.attempts.count_own("code", meant.user)?;
        let secret = found.credential.totp_secret().filter(|_| !found.credential.has_totp());
        let step = secret.and_then(|secret| totp::step_of(secret, &admitted.value().code));
        let step = step.ok_or_else(|| Problem::invalid_field("code", "code_wrong"))?;
        let (recovery_codes, digests) = totp::recovery_codes().map_err(Problem::internal)?;
        let actions = vec![CredentialAction::ConfirmTotp { step }, CredentialAction::IssueRecoveryCodes { digests }];
        execute(admitted, services, Enter::change(meant.user, actions)).await?;
        Ok(Changed { status: "ENROLLED", recovery_codes })
    }
}

/// Do without an authenticator, where none is required (E-113).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableTotp {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    /// The authenticator's code, to show that it is not somebody else who asks.
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

impl Action for DisableTotp {
    type Output = Changed;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        services.desk.attempts.count_own("code", meant.user)?;
        let secret = found.credential.totp_secret().filter(|_| found.credential.has_totp());
        let Some(secret) = secret else { return Err(Problem::new(Code::Conflict, "identity.totp_not_enrolled")) };
        let step = totp::step_of(secret, &admitted.value().code).ok_or_else(failed)?;
        let required = found.needs_second_factor();
        let actions = vec![CredentialAction::RecordTotp { step }, CredentialAction::DisableTotp { required }];
        execute(admitted, services, Enter::change(meant.user, actions)).await?;
        Ok(Changed::new("DISABLED"))
    }
}
