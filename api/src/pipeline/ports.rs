//! What the gate asks of the rest of the house.

use super::decision::OwnPolicies;
use async_trait::async_trait;
use palmares_domain::{
    compliance::access_record::Aim,
    identity::{HeldRole, Rights, api_key::Quota, user::UserStatus},
    kernel::{ApiKeyId, ClientContext, Code, DataClass, Digest, ElevationId, Idempotency, OrganizationId, SessionId, TeamId, UserId},
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Whether a user of a verified token may act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With what the user's roles grant.
    Active(Rights),
    /// To be deleted: may export and cancel, with nothing else of what the roles grant (A2).
    Leaving(Rights),
    UserSuspended,
    OrganizationSuspended,
    /// No such user in this organization, or no such organization.
    Unknown,
}

/// What was shown when a session was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Less than the organization asks of everyone by now.
    TooLittle,
    /// One factor, or a second that was sent.
    OneFactor,
    /// A second factor that opens what administrators may.
    TwoFactors,
}

/// What a program may whose key is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// With what the key grants.
    pub standing: Standing,
    pub quota: Quota,
}

/// What an elevation gives while it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elevated {
    /// A role on top of the user's own.
    Role(HeldRole),
    /// To act as another user of the organization, whose rights these are.
    ActingAs(UserId, Rights),
}

/// Knows who may act.
#[async_trait]
pub trait Standings: Send + Sync + 'static {
    /// The standing of a user in their own organization, as of now on this node.
    ///
    /// # Errors
    /// When it cannot be told; the request is then refused with `SERVICE_UNAVAILABLE`.
    async fn of(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Standing>;

    /// What a session of the user showed, by what their organization asks of everyone now; `None` where it does
    /// not go on. Where a cookie proves it, with this digest of its secret.
    async fn signed_in(
        &self,
        organization: OrganizationId,
        user: UserId,
        session: SessionId,
        secret: Option<Digest>,
    ) -> anyhow::Result<Option<Shown>>;

    /// Whether the user has yet to agree to something that their organization requires, in the version
    /// that is in force now (E-278).
    async fn owes_consent(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<bool>;

    /// The program whose key has a secret with this digest; `None` where no such key is good now,
    /// whatever is wrong with it.
    async fn program(&self, organization: OrganizationId, key: ApiKeyId, secret: Digest) -> anyhow::Result<Option<Program>>;

    /// What an elevation of this organization gives the user now: nothing where it is another's, was
    /// not started, is over, or is not there.
    async fn elevation(&self, organization: OrganizationId, elevation: ElevationId, user: UserId) -> anyhow::Result<Option<Elevated>>;

    /// Whether an organization exists, which is asked when a platform admin names it.
    async fn exists(&self, organization: OrganizationId) -> anyhow::Result<bool>;

    /// The organization's own policies that hold, as of now on this node; `None` where it has none.
    async fn policies(&self, organization: OrganizationId) -> anyhow::Result<Option<Arc<OwnPolicies>>>;

    /// Where someone stands in their life cycle, for policies that ask whose resource it is.
    async fn status(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Option<UserStatus>>;

    /// The relations in which a user stands now to somebody else, by the names that policies know.
    async fn relations(&self, organization: OrganizationId, user: UserId, to: UserId) -> anyhow::Result<Vec<&'static str>>;

    /// The relation in which a user stands now to a team, which says what they are in it.
    async fn team_relation(&self, organization: OrganizationId, user: UserId, team: TeamId) -> anyhow::Result<Option<&'static str>>;
}

/// A known caller at a known route: what the access log tells of both.
#[derive(Clone)]
pub struct Access {
    /// The organization in which the request acts; the caller's own where it did not come so far, or may not act there.
    pub organization: OrganizationId,
    pub actor: UserId,
    /// The user as whom the actor acts, where that is another one.
    pub on_behalf_of: Option<UserId>,
    pub elevation: Option<ElevationId>,
    /// The session in which the actor is signed in.
    pub session: Option<SessionId>,
    pub rights: Rights,
    /// Method and pattern, such as `GET /api/v1/users/{user_id}`.
    pub route: String,
    pub permission: &'static str,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub client: ClientContext,
}

/// A refusal of a known caller.
#[derive(Clone)]
pub struct RefusedAccess {
    pub access: Access,
    pub code: Code,
    /// The stable reason, such as `gate.permission_missing`.
    pub reason: String,
    /// The policies that refused; none where the gate refused before it asked them.
    pub policies: Vec<String>,
    pub aim: Aim,
}

/// A read that has to be remembered.
#[derive(Clone)]
pub struct SensitiveRead {
    pub access: Access,
    pub data_class: DataClass,
    /// Whose data was read, where it is one person's.
    pub subject: Option<UserId>,
    /// Whose personal data was opened for the answer.
    pub shown: BTreeSet<UserId>,
    /// Of an export or a stream, the position behind which it begins; `None` for one answer.
    pub export_from: Option<i64>,
    /// What was asked for: the pairs of the query string.
    pub query: Vec<(String, String)>,
    /// The policies that permitted it.
    pub policies: Vec<String>,
    /// The name under which it is recorded once, where the caller gave a key.
    pub repeatable: Option<Idempotency>,
}

/// An export that left nothing of the organization's history out, and was handed over to its end.
#[derive(Clone)]
pub struct TakenOut {
    pub access: Access,
    /// Where it is on record that they took it out.
    pub exported_position: i64,
    pub size_bytes: i64,
    /// The policies that permitted it.
    pub policies: Vec<String>,
}

/// Writes events of the `access_record` aggregate of the acting user.
#[async_trait]
pub trait AccessLog: Send + Sync + 'static {
    /// Refusals are answered even where this fails; the failure is logged.
    async fn refused(&self, refusal: RefusedAccess) -> anyhow::Result<()>;

    /// Sensitive reads are answered only after this succeeded. It answers where the record stands in
    /// the log: of one that is repeated, where the first does.
    async fn sensitive_read(&self, read: SensitiveRead) -> anyhow::Result<i64>;

    /// An export of everything is over only after this succeeded.
    async fn taken_out(&self, taken: TakenOut) -> anyhow::Result<()>;
}

/// Why a rebuild does not begin, or nothing is taken again.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepRefused {
    #[error("there is no such projection")]
    Unknown,
    #[error("a rebuild of it is running already")]
    Running,
    #[error("it is a projection: what it parked is put right by a rebuild")]
    RebuildInstead,
    #[error("it could not be asked for: {0}")]
    Unavailable(anyhow::Error),
}

/// Puts right what stands behind the log.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Sets a rebuild of the projection going, and does not wait for its end.
    async fn rebuild(&self, projection: &str) -> Result<(), UpkeepRefused>;

    /// Has the reactor take again the events that it parked; how many there are.
    async fn retry(&self, reactor: &str) -> Result<u64, UpkeepRefused>;
}
