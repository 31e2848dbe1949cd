//! The metadata of an event: the admission record of the command that caused it.

use crate::store::{AppendError, Claim, ClaimKey, EventStore};
use palmares_domain::identity::RoleRef;
use palmares_domain::kernel::{Admission, Digest, ElevationId, OrganizationId, SessionId, UserId};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Serialize)]
struct Metadata<'a> {
    actor_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elevation_id: Option<ElevationId>,
    roles: Vec<RoleRef>,
    permission: &'static str,
    policies: &'a [String],
    request_id: Uuid,
    correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_context_id: Option<Uuid>,
    #[serde(flatten)]
    commitments: Commitments,
}

/// What the log keeps of claims, so that it can be told whether those that are there are those that were made.
#[derive(Serialize)]
pub(super) struct Commitments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Digest>,
    /// Whose claims all went, which may be too many to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub releases_all_of: Option<OrganizationId>,
}

impl Commitments {
    /// Of claims that an append makes and lets go.
    pub async fn of(
        store: &dyn EventStore,
        claims: &[Claim],
        releases: &[ClaimKey],
        releases_all_of: Option<OrganizationId>,
    ) -> Result<Self, AppendError> {
        let mut let_go = Vec::new();
        if releases_all_of.is_none() {
            for key in releases {
                let_go.extend(store.claim(*key).await?.and_then(|held| held.commitment()));
            }
        }
        Ok(Self { claims: claims.iter().filter_map(Claim::commitment).collect(), releases: let_go, releases_all_of })
    }
}

/// The metadata as the bytes that are stored.
pub(super) fn metadata(admission: &Admission, client_context_id: Option<Uuid>, commitments: Commitments) -> serde_json::Result<Arc<[u8]>> {
    let metadata = Metadata {
        actor_id: admission.actor,
        session_id: admission.session,
        on_behalf_of: admission.on_behalf_of,
        elevation_id: admission.elevation,
        roles: admission.rights.roles().collect(),
        permission: admission.permission,
        policies: &admission.policies,
        request_id: admission.request_id,
        correlation_id: admission.correlation_id,
        causation_id: admission.causation.map(|event| event.0),
        command_id: admission.idempotency.map(|key| key.command_id.0),
        client_context_id,
        commitments,
    };
    serde_json::to_vec(&metadata).map(Arc::from)
}
