//! What the house asks of itself: operations that no request offers, admitted here.

use palmares_domain::{
    identity::Rights,
    kernel::{Admission, Admitted, ClientContext, ElevationId, OrganizationId, UserId},
};
use uuid::Uuid;

/// Who an operation of the house is recorded for.
pub(super) struct OnBehalf {
    pub organization: OrganizationId,
    pub actor: UserId,
    pub on_behalf_of: Option<UserId>,
    pub elevation: Option<ElevationId>,
    pub rights: Rights,
    pub permission: &'static str,
    /// What decided; see [`Admission::policies`].
    pub policies: Vec<String>,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub client: Option<ClientContext>,
}

/// Admits an operation of the house.
pub(super) fn admit<T>(whose: OnBehalf, operation: T) -> Admitted<T> {
    let OnBehalf { organization, actor, on_behalf_of, elevation, rights, permission, policies, request_id, correlation_id, client } = whose;
    let admission = Admission {
        organization,
        actor,
        session: None,
        on_behalf_of,
        elevation,
        rights,
        permission,
        policies,
        request_id,
        correlation_id,
        causation: None,
        client,
        idempotency: None,
        if_match: None,
        dry_run: false,
    };
    #[expect(clippy::disallowed_methods, reason = "the access log and the bootstrap record what no caller asks for")]
    Admitted::grant(admission, operation)
}
