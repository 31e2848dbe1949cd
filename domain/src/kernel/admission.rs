//! Proofs that the gate let something through: execution and reads take nothing else (design 5).

use super::{CommandId, DataClass, ElevationId, EventId, FieldSpec, OrganizationId, Purpose, SessionId, UserId};
use crate::identity::Rights;
use uuid::Uuid;

/// Where a request came from. Personal data: it is sealed before it is stored.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ClientContext {
    pub ip: String,
    pub user_agent: Option<String>,
}

impl ClientContext {
    /// Its fields, as the data map shows them. The subject is whoever made the request.
    pub const FIELDS: &'static [FieldSpec] = &[Self::field("ip", "String"), Self::field("user_agent", "Option<String>")];

    const fn field(name: &'static str, rust_type: &'static str) -> FieldSpec {
        FieldSpec { name, rust_type, class: DataClass::Confidential, personal: Some(("subject_id", Purpose::Security)) }
    }

    /// The kind under which addresses are hashed, so that they are found without being known.
    pub const IP_LOOKUP: &'static str = "client_ip";

    /// The one form of an address: an IPv4 address that came as IPv6 is the same one. `None` for
    /// what is no address.
    pub fn ip_key(text: &str) -> Option<String> {
        text.parse::<core::net::IpAddr>().ok().map(|address| address.to_canonical().to_string())
    }
}

/// The name under which a command may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub command_id: CommandId,
    /// SHA-256 of operation and canonical body: the same key with another body is refused.
    pub request_hash: [u8; 32],
}

/// What the gate found out about a request; it becomes the metadata of the events.
#[derive(Clone)]
pub struct Admission {
    /// The tenant in which the request acts.
    pub organization: OrganizationId,
    pub actor: UserId,
    /// The session in which the actor is signed in; none of operators' tokens, keys and the platform itself.
    pub session: Option<SessionId>,
    /// The user as whom the actor acts, where that is another one.
    pub on_behalf_of: Option<UserId>,
    /// The elevation that the actor uses; every event says so.
    pub elevation: Option<ElevationId>,
    /// What the actor's roles granted when the request was admitted; with an elevation what that makes of it.
    pub rights: Rights,
    /// The permission that was needed, such as `points.hold.place`.
    pub permission: &'static str,
    /// What decided: the policies with the version of their set, such as `self.member@1f3c9a20d4e1`;
    /// of a refusal the gate's own rule first.
    pub policies: Vec<String>,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    /// The event that caused the command, where a reactor sent it.
    pub causation: Option<EventId>,
    pub client: Option<ClientContext>,
    pub idempotency: Option<Idempotency>,
    /// The stream version that the caller saw (`If-Match`).
    pub if_match: Option<i64>,
    /// Answer the events that would be recorded, and record nothing.
    pub dry_run: bool,
}

impl Admission {
    /// An admission of which nothing more is known: no rights, no session, no elevation, a request that began a story of its own.
    pub fn of(organization: OrganizationId, actor: UserId, permission: &'static str, request_id: Uuid) -> Self {
        Self {
            organization,
            actor,
            session: None,
            on_behalf_of: None,
            elevation: None,
            rights: Rights::default(),
            permission,
            policies: Vec::new(),
            request_id,
            correlation_id: request_id,
            causation: None,
            client: None,
            idempotency: None,
            if_match: None,
            dry_run: false,
        }
    }
}

/// Proof that somebody was let into an organization: readers open for nothing less, so no caller
/// names another tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant(OrganizationId);

impl Tenant {
    /// Only the gate and the reactors' runner may call this: clippy refuses it everywhere else.
    /// Whoever holds an [`Admitted`] asks that.
    pub fn grant(organization: OrganizationId) -> Self {
        Self(organization)
    }

    pub fn organization(self) -> OrganizationId {
        self.0
    }
}

/// A value that passed the gate.
pub struct Admitted<T> {
    admission: Admission,
    value: T,
}

impl<T> Admitted<T> {
    /// Only the gate and the reactors' runner may call this: clippy refuses it everywhere else.
    pub fn grant(admission: Admission, value: T) -> Self {
        Self { admission, value }
    }

    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    pub fn value(&self) -> &T {
        &self.value
    }

    /// The tenant in which it was admitted.
    pub fn tenant(&self) -> Tenant {
        Tenant(self.admission.organization)
    }

    pub fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// What was admitted, in the form that its execution needs.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Admitted<U> {
        Admitted { admission: self.admission, value: form(self.value) }
    }

    pub fn into_parts(self) -> (Admission, T) {
        (self.admission, self.value)
    }
}
