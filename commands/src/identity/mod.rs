//! Identity: users, how they are invited one by one or by the table, sign up and sign in, their life cycle, the roles and policies that
//! say what they may, and the keys of programs.

mod api_keys;
mod assignments;
mod connections;
mod credentials;
mod elevations;
mod emails;
mod enter;
mod external_identities;
mod invitations;
mod joining;
mod lifecycle;
mod memberships;
mod officers;
mod phones;
pub mod policy_language;
mod policy_store;
mod profile;
mod roles;
mod second_factors;
mod sessions;
mod sign_in_watch;
mod signup_policy;
mod signups;
mod switching;
mod temporary_passwords;
#[cfg(test)]
mod tests;
mod user_imports;
mod users;

pub use api_keys::{CreateApiKey, RevokeApiKey, RotateApiKey, SetApiKeyQuota, TakesSecret};
pub use assignments::{AssignRole, UnassignRole};
pub use connections::{ConfigureConnection, DisableConnection, EnableConnection, provider_digest};
pub use credentials::{FailPass, IssuePass, LinkExternalIdentity};
pub use elevations::{
    ApproveElevation, EndElevation, ExpireElevation, RefuseElevation, RequestElevation, ReviewElevation, StartElevation, WithdrawElevation,
};
pub use emails::{Email, OnRecord, SetUserEmail};
pub use enter::{Enter, Entrant};
pub use external_identities::{AllowExternalIdentities, UnlinkExternalIdentity, external_identity_id};
pub use invitations::{AcceptInvitation, ExpireInvitation, InviteUser, NeedsEmail, ResendInvitation, RevokeInvitation};
pub use joining::JoinByProvider;
pub use lifecycle::{ApproveReactivation, DeactivateUser, ReactivateUser, ResumeUser, SuspendUser};
pub use memberships::{LinkMembership, Offer, UnlinkMembership, offer_not_valid};
pub use officers::{LeavesOfficers, is_officer};
pub(crate) use officers::{check_one_is_left, check_one_stays, leaves_officers, streams_of as officer_streams};
pub use phones::SendPhoneCode;
pub use policy_store::{
    ActivatePolicies, ActivatePolicyVersion, InstantiatePolicy, RevokePolicy, RevokePolicyTemplate, SeedPolicyStore, WritePolicy,
    WritePolicyTemplate,
};
pub use profile::{ChangeProfile, NotificationsPatch};
pub use roles::{ComposeRole, RenameRole, RetireRole, SetRoleGrants};
pub use second_factors::ResetSecondFactor;
pub use sessions::{EndSession, RevokeSession, RevokeUserSessions, RotateRefresh};
pub use sign_in_watch::{DisownSignIn, RecordFailedSignIn};
pub use signup_policy::{ConfigureSignup, HooksOffered, SignupRules, signup_rules};
pub use signups::{
    ApproveSignup, AskSignup, ExpireSignup, FailSignupCode, NewUser, ProveSignupEmail, ProveSignupPhone, RefuseSignup, SendSignupAgain,
};
pub use switching::Switched;
pub use temporary_passwords::SetTemporaryPassword;
pub use user_imports::{
    BeginImport, CancelImport, ConfirmImport, FailImportRow, FinishImport, InviteImportRow, RetryImport, RevokeImportRow, RollBackImport,
    UploadImport,
};
pub use users::CreateUser;

pub(crate) use sessions::sessions_stream;
pub(crate) use users::user_stream;

use crate::engine::{Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::access_record::Aim,
    identity::{HeldRole, Rights, RoleRef, role_catalogue::RoleCatalogue, user::User},
    kernel::{Admission, Code, UserId},
};

/// The stream of the organization's own roles.
pub(crate) fn catalogue_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<RoleCatalogue>(admission.organization, admission.organization)
}

/// Refuses to give or take a role that reaches further than the caller's own rights (E-46).
fn check_may_give(unit: &mut Unit<'_>, role: RoleRef) -> Result<(), Refused> {
    let held = match role {
        RoleRef::BuiltIn(role) => HeldRole::built_in(role),
        custom => {
            let organization = unit.organization();
            let held = unit.state::<RoleCatalogue>(organization)?.held(custom);
            held.ok_or_else(|| Refused::field("role", "identity.role_not_found"))?
        }
    };
    check_covers(unit, &held)
}

/// Refuses to act for a user whose roles reach further than the caller's own rights: who decides how
/// somebody signs in can act as them (E-46).
pub(crate) fn check_may_act_for(unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
    if unit.admission().actor == user_id {
        return Ok(());
    }
    let roles = unit.state::<User>(user_id)?.profile().map(|profile| profile.roles.clone()).unwrap_or_default();
    let organization = unit.organization();
    for role in roles {
        // A role that was retired grants nothing.
        let held = match role {
            RoleRef::BuiltIn(role) => Some(HeldRole::built_in(role)),
            custom => unit.state::<RoleCatalogue>(organization)?.held(custom),
        };
        held.map_or(Ok(()), |held| check_covers(unit, &held)).map_err(|refused| aimed_at(refused, user_id))?;
    }
    Ok(())
}

/// The same refusal, with whom it was about.
fn aimed_at(refused: Refused, user_id: UserId) -> Refused {
    let aim = refused.aim.unwrap_or_default();
    Refused { aim: Some(Box::new(Aim { subject: Some(user_id), ..*aim })), ..refused }
}

/// Refuses a role that reaches further than the caller's own rights (E-46). What somebody has for a
/// while, or as another user, is not theirs to give: it would outlive its time.
fn check_covers(unit: &Unit<'_>, role: &HeldRole) -> Result<(), Refused> {
    let admission = unit.admission();
    let rights = if admission.elevation.is_some() { &Rights::default() } else { &admission.rights };
    if rights.cover_role(role) {
        return Ok(());
    }
    Err(Refused { aim: Some(Box::new(Aim { role: Some(role.role), ..Aim::default() })), ..escalation("the role") })
}

/// The refusal of what reaches further than the caller's own rights; it is recorded as an attempt.
fn escalation(what: &str) -> Refused {
    let detail = format!("{what} reaches further than your own rights");
    Refused::new(Code::AccessDenied, "identity.permission_escalation_attempt", detail)
}
