//! A telephone as a second factor (E-112): enrolled with a fresh code by somebody who showed a moment ago who they
//! are, and removed again with one.
//!
//! It is a weak proof (ADR 17): only where the organization allows it, beside nothing better, and of nobody who
//! administers something.

use super::{
    account::{Changed, execute, own},
    mailing::{Sent, good_for},
    meant::Found,
    pass_token::fresh_pass,
    sent_code::is_code_of,
};
use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
};
use palmares_commands::identity::{Enter, FailPass, SendPhoneCode};
use palmares_domain::{
    identity::credential::{CredentialAction, PassKind},
    kernel::{Admitted, Code, PassId, UserId, text::is_phone},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Whether a code by text message is a second factor of this user: of nobody who has an authenticator, or must.
pub fn takes_phone_code(services: &Services, found: &Found) -> bool {
    found.credential.phone().is_some() && !found.credential.has_totp() && !found.needs_authenticator() && may_send(services, found)
}

fn may_send(services: &Services, found: &Found) -> bool {
    services.desk.sends_texts && found.settings.allows_phone_codes()
}

/// Sends a code to a telephone, where not too many went to it lately.
///
/// # Errors
/// A deployment without text messages, and a number to which too many were sent.
pub async fn send_code<T>(admitted: Admitted<T>, services: &Services, number: &str, is_new: bool) -> Result<(), Problem> {
    if !services.desk.sends_texts {
        return Err(Problem::new(Code::ServiceUnavailable, "identity.phone_verification_not_enabled"));
    }
    services.desk.attempts.count_text(number)?;
    let kind = if is_new { PassKind::PhoneEnrolment } else { PassKind::PhoneCode };
    let (user_id, expires_at) = (admitted.admission().actor, services.engine.now() + good_for(kind));
    let phone = is_new.then(|| number.to_owned());
    execute(admitted, services, SendPhoneCode { user_id, pass_id: fresh_pass(None), phone, expires_at }).await
}

/// The pass of a kind, where `code` is the one that was sent for it. A wrong one is counted before it is
/// answered, and the fifth makes the code void.
async fn proven<T>(
    admitted: Admitted<T>,
    services: &Services,
    found: &Found,
    kind: PassKind,
    code: &str,
) -> Result<(Admitted<T>, PassId), Problem> {
    let wrong = || Problem::invalid_field("code", "code_wrong");
    let (organization, user_id) = (admitted.admission().organization, admitted.admission().actor);
    let pass_id = found.credential.pass(kind, services.engine.now()).map(|pass| pass.pass_id).ok_or_else(wrong)?;
    if is_code_of(&services.desk.ring, organization, pass_id, code).await? {
        return Ok((admitted, pass_id));
    }
    execute(admitted, services, FailPass { user_id, pass_id, kind }).await?;
    Err(wrong())
}

/// Have a code sent to a telephone that is to be a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginPhoneEnrolment {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    /// In E.164, such as `+33612345678`.
    #[schema(min_length = 8, max_length = 16)]
    pub phone: String,
}

impl Action for BeginPhoneEnrolment {
    type Output = Sent;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(mut admitted: Admitted<Self>, services: &Services) -> Result<Sent, Problem> {
        let number = std::mem::take(&mut admitted.value_mut().phone);
        if !is_phone(&number) {
            return Err(Problem::invalid_field("phone", "identity.phone_invalid"));
        }
        let (_, found) = own(&admitted, services).await?;
        if !found.settings.allows_phone_codes() {
            return Err(Problem::new(Code::Conflict, "identity.phone_codes_not_allowed"));
        }
        if found.credential.phone().is_some() {
            return Err(Problem::new(Code::Conflict, "identity.phone_enrolled_already"));
        }
        send_code(admitted, services, &number, true).await?;
        Ok(Sent::ANSWER)
    }
}

/// Show by its code that the telephone is one's own: from now on it is a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPhoneEnrolment {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

impl Action for ConfirmPhoneEnrolment {
    type Output = Changed;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        services.desk.attempts.count_own("code", meant.user)?;
        let code = admitted.value().code.clone();
        let (admitted, pass_id) = proven(admitted, services, &found, PassKind::PhoneEnrolment, &code).await?;
        execute(admitted, services, Enter::change(meant.user, vec![CredentialAction::ConfirmPhone { pass_id }])).await?;
        Ok(Changed::new("ENROLLED"))
    }
}

/// Have a code sent to the telephone that is one's second factor, to remove it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskOwnPhoneCode {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

impl Action for AskOwnPhoneCode {
    type Output = Sent;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Sent, Problem> {
        let (_, found) = own(&admitted, services).await?;
        let Some(number) = found.credential.phone() else { return Err(not_enrolled()) };
        send_code(admitted, services, number, false).await?;
        Ok(Sent::ANSWER)
    }
}

/// Do without the telephone. It takes the code that was sent to it, unless the proof was made with an authenticator
/// or no code can be sent to it any more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePhone {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(min_length = 6, max_length = 6)]
    pub code: Option<String>,
}

impl Action for RemovePhone {
    type Output = Changed;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(mut admitted: Admitted<Self>, services: &Services) -> Result<Changed, Problem> {
        let (meant, found) = own(&admitted, services).await?;
        services.desk.attempts.count_own("code", meant.user)?;
        if found.credential.phone().is_none() {
            return Err(not_enrolled());
        }
        let mut actions = vec![CredentialAction::RemovePhone];
        if !found.credential.has_totp() && may_send(services, &found) {
            let code = admitted.value_mut().code.take().ok_or_else(|| Problem::invalid_field("code", "required"))?;
            let kind = PassKind::PhoneCode;
            let (shown, pass_id) = proven(admitted, services, &found, kind, &code).await?;
            admitted = shown;
            actions.insert(0, CredentialAction::UsePass { pass_id, kind });
        }
        execute(admitted, services, Enter::change(meant.user, actions)).await?;
        Ok(Changed::new("REMOVED"))
    }
}

fn not_enrolled() -> Problem {
    Problem::new(Code::Conflict, "identity.phone_not_enrolled")
}
