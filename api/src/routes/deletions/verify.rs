//! The second factor of whoever asked for a deletion.

use super::dossier;
use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
    routes::officers::beside_others,
    sign_in::totp,
};
use palmares_commands::compliance;
use palmares_domain::{
    identity::credential::{Credential, CredentialAction},
    kernel::{Admitted, Code, DeletionRequestId, OrganizationId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Show that it is you who asked for it, by a code of your authenticator or a recovery code. From here on
/// whoever is to be deleted may no longer act.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyDeletion {
    pub request_id: DeletionRequestId,
    #[schema(min_length = 6, max_length = 32)]
    pub code: String,
}

/// Where the request stands now.
#[derive(Serialize, ToSchema)]
pub struct Verified {
    pub id: DeletionRequestId,
    pub status: &'static str,
}

impl Action for VerifyDeletion {
    type Output = Verified;
    const RECORDED: bool = false;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Verified, Problem> {
        let admission = admitted.admission();
        let (actor, request_id) = (admission.actor, admitted.value().request_id);
        let found = dossier(services, admission.organization, request_id).await?;
        if found.requested_by != actor {
            return Err(Problem::not_found());
        }
        // The platform's people have their account at home, wherever they act.
        let at_platform = admission.rights.reach_everywhere();
        let home = if at_platform { OrganizationId::PLATFORM } else { admission.organization };
        services.desk.attempts.count_own("code", actor)?;
        let credential = services.engine.state::<Credential>(home, actor).await?;
        let proof = proof(&credential, &admitted.value().code)?;
        let verify = compliance::VerifyDeletion { request_id, subject: found.subject, home, proof, other_officers: Vec::new() };
        let verify = beside_others(verify, admitted.tenant(), services).await?;
        services.engine.execute(admitted.map(|_| verify)).await?;
        Ok(Verified { id: request_id, status: "IN_REVIEW" })
    }
}

/// What uses the code up, if it is one of theirs.
fn proof(credential: &Credential, code: &str) -> Result<CredentialAction, Problem> {
    let secret = credential.totp_secret().filter(|_| credential.has_totp());
    let secret = secret.ok_or_else(|| Problem::new(Code::Conflict, "identity.totp_not_enrolled"))?;
    if let Some(step) = totp::step_of(secret, code) {
        return Ok(CredentialAction::RecordTotp { step });
    }
    let digest = totp::recovery_digest(code).ok_or_else(|| Problem::invalid_field("code", "code_wrong"))?;
    Ok(CredentialAction::UseRecoveryCode { digest })
}
