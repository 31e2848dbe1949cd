//! Newtypes for every identifier: a bare `Uuid` does not cross a module border.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
        impl From<Uuid> for $name { fn from(id: Uuid) -> Self { Self(id) } }
        impl From<$name> for Uuid { fn from(id: $name) -> Uuid { id.0 } }
    )*};
}

ids! {
    /// The tenant. Every repository and query takes it as its first argument.
    OrganizationId;
    /// A member of an organization; also the data subject of that person's data.
    UserId;
    /// A role that an organization composed for itself (T-26).
    RoleId;
    /// A points program: one asset with its rules (T-91).
    ProgramId;
    /// A team; an account may be kept per team (T-35, A19).
    TeamId;
    /// A versioned earning rule of a program.
    RuleId;
    /// A ledger transaction: credit, debit, hold, transfer or reversal.
    TransactionId;
    /// A calendar month of what an organization's people did together.
    MonthId;
    /// The ledger account of (program, user, team or none).
    AccountId;
    /// A signed-in device of a user; also the family of its refresh tokens (E-109).
    SessionId;
    /// An invitation to join an organization (E-118).
    InvitationId;
    /// A link or a code that was sent to a user and is good once.
    PassId;
    /// The link between two accounts of one person, in two organizations (E-200).
    MembershipId;
    /// A key by which a program acts for an organization (P-33).
    ApiKeyId;
    /// Rights that a user has for a while, or another user's rights (E-254, E-33).
    ElevationId;
    /// A policy of an organization's own policy store, or a template of one (H-30).
    PolicyId;
    /// A list of people that is imported together (E-133).
    ImportId;
    /// What is asked and done about the deletion of one user or organization (7A to 7E).
    DeletionRequestId;
    /// A duty to keep what would otherwise be erased (E-162).
    LegalHoldId;
    /// A message that was sent to somebody.
    LetterId;
    /// A text of a legal document in one language (E-209).
    LegalDocumentId;
    /// A person's agreement to a legal document, through its renewals (E-175).
    ConsentId;
    /// What a person asks under data protection law.
    SubjectRequestId;
    /// What is recorded of a person, taken out (E-177).
    ExportId;
    /// A breach of personal data, and what was done about it.
    BreachId;
    /// A search of the audit log that somebody keeps.
    SearchId;
    /// By which the audit log is taken out again and again.
    ScheduleId;
    /// Where an organization's audit log is sent as it grows.
    SiemStreamId;
    /// Something in the audit log that somebody should look at.
    AnomalyId;
    /// A look at who has which role, one by one.
    AccessReviewId;
    /// One event.
    EventId;
    /// One command; derived from an idempotency key or from (event, handler).
    CommandId;
}

/// The namespace under which Palmares derives name-based UUIDs (RFC 9562, version 5).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x7061_6c6d_6172_4573_8000_0000_0000_0001);

/// A name-based UUID over `parts`, each ended by a byte that no part's text contains.
pub fn derive_uuid(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(kind.len() + 1 + parts.iter().map(|part| part.len() + 9).sum::<usize>());
    name.extend_from_slice(kind.as_bytes());
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

impl OrganizationId {
    /// The organization that owns the platform itself; its members may hold platform roles (H-11).
    pub const PLATFORM: OrganizationId = OrganizationId(Uuid::from_u128(0x7061_6c6d_6172_4573_8000_0000_0000_0000));
}

impl DeletionRequestId {
    /// A subject has one: whoever asks again goes on with it, so two are never open at once.
    pub fn of(subject: impl Into<Uuid>) -> Self {
        DeletionRequestId(derive_uuid("deletion-request", &[subject.into().as_bytes()]))
    }
}

impl AccountId {
    /// The account of a user in a program, for one team or for none (A19).
    pub fn of(program: ProgramId, user: UserId, team: Option<TeamId>) -> Self {
        let team = team.map(|team| *team.0.as_bytes());
        let team_part: &[u8] = team.as_ref().map_or(&[], |bytes| bytes.as_slice());
        AccountId(derive_uuid("points-account", &[program.0.as_bytes(), user.0.as_bytes(), team_part]))
    }
}
