//! An operation: what one capability does, over one stream or several at once.

use super::kind::{Change, Happened, State, StreamRef};
use crate::store::{Claim, ClaimKey};
use palmares_domain::compliance::access_record::Aim;
use palmares_domain::identity::PermissionTree;
use palmares_domain::kernel::{Admission, Aggregate, Code, Facts, FieldError, OrganizationId, Refusal, derive_uuid};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use uuid::Uuid;

/// What one capability does. It is also the body of its request.
pub trait Operation: Send + Sync + 'static {
    /// The streams it may append to; the first is the one whose version `If-Match` names.
    fn streams(&self, admission: &Admission) -> Vec<StreamRef>;

    /// The streams it only looks at. Their versions are asserted with the append.
    fn reads(&self, _admission: &Admission) -> Vec<StreamRef> {
        Vec::new()
    }

    /// The claims that it may want, looked up before it decides.
    fn claims(&self, _admission: &Admission) -> Vec<ClaimKey> {
        Vec::new()
    }

    /// Personal values that have to be unique in the organization, as (kind, value): their claims
    /// are keyed hashes, which [`Unit::hashed`] gives.
    fn hashed(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }

    /// Decides. A refusal leaves no trace; so may an error in the middle of several streams.
    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused>;
}

/// What a caller is answered: ids and a status, never a body. It is stored with the command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answer(pub serde_json::Map<String, serde_json::Value>);

impl Answer {
    /// `{<id_field>: id, status}`.
    pub fn new(id_field: &str, id: impl Into<Uuid>, status: &str) -> Self {
        Self::default().with(id_field, id.into().to_string()).with("status", status)
    }

    pub fn with(mut self, field: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }
}

/// A refusal on the way to the caller.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refused {
    pub code: Code,
    /// The stable reason, key of its translated text.
    pub reason: Cow<'static, str>,
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// What a parser or a checker said about what the caller wrote; it is answered.
    pub said: Option<String>,
    /// Whether trying it is worth remembering ([`Refusal::is_attempt`]).
    pub attempt: bool,
    /// At what it was aimed, where whoever refused knows more of it than the path says.
    pub aim: Option<Box<Aim>>,
}

impl Refused {
    pub fn new(code: Code, reason: &'static str, detail: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), detail: detail.into(), errors: Vec::new(), said: None, attempt: false, aim: None }
    }

    /// A field that is not valid.
    pub fn field(field: impl Into<String>, reason: &'static str) -> Self {
        let field = FieldError::new(field, reason);
        let detail = format!("{} is not valid", field.field);
        let (code, reason) = (Code::ValidationError, "validation_failed".into());
        Self { code, reason, detail, errors: vec![field], said: None, attempt: false, aim: None }
    }
}

impl<E: Refusal> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            reason: error.reason().into(),
            detail: error.to_string(),
            errors: error.errors(),
            said: None,
            attempt: error.is_attempt(),
            aim: None,
        }
    }
}

/// One stream as a unit sees it.
pub(super) struct Involved<'a> {
    pub stream: StreamRef,
    pub state: &'a dyn State,
    pub version: i64,
    pub writable: bool,
    pub changes: Vec<Box<dyn Change>>,
    /// The state with `changes`, made when someone looks at it again.
    pub working: Option<Box<dyn State>>,
}

/// What an operation works with: states as they are now, and what it adds to them.
pub struct Unit<'a> {
    pub(super) admission: &'a Admission,
    pub(super) facts: Facts,
    pub(super) involved: Vec<Involved<'a>>,
    pub(super) held: &'a HashMap<ClaimKey, Uuid>,
    pub(super) hashed: &'a HashMap<&'static str, Uuid>,
    pub(super) claims: Vec<Claim>,
    pub(super) releases: Vec<ClaimKey>,
    /// All of whose claims go, where they do.
    pub(super) released: Option<OrganizationId>,
    pub(super) ids: u64,
    pub(super) permissions: &'a PermissionTree,
}

impl<'a> Unit<'a> {
    pub fn admission(&self) -> &Admission {
        self.admission
    }

    pub fn organization(&self) -> OrganizationId {
        self.admission.organization
    }

    /// Every permission there is.
    pub fn permissions(&self) -> &PermissionTree {
        self.permissions
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A new id. Of a command that may be repeated it is derived, so a retry gives the same one.
    pub fn fresh_id(&mut self) -> Uuid {
        self.ids += 1;
        match &self.admission.idempotency {
            Some(key) => derive_uuid("fresh", &[key.command_id.0.as_bytes(), &self.ids.to_be_bytes()]),
            None => Uuid::now_v7(),
        }
    }

    /// The state of a stream that the operation named, with what it has added so far.
    pub fn state<A: Aggregate>(&mut self, id: impl Into<Uuid>) -> Result<&A, Refused> {
        let involved = self.find::<A>(id.into())?;
        if !involved.changes.is_empty() {
            let working = involved.working.get_or_insert_with(|| {
                let mut working = involved.state.duplicate();
                involved.changes.iter().for_each(|change| change.apply(working.as_mut()));
                working
            });
            return working.as_any().downcast_ref::<A>().ok_or_else(|| unnamed(A::TYPE));
        }
        involved.state.as_any().downcast_ref::<A>().ok_or_else(|| unnamed(A::TYPE))
    }

    /// The version of a stream, with what has been added so far; 0 where there is none.
    pub fn version<A: Aggregate>(&mut self, id: impl Into<Uuid>) -> Result<i64, Refused> {
        self.find::<A>(id.into()).map(|involved| involved.version + involved.changes.len() as i64)
    }

    /// Decides a command of one aggregate and adds its events; answers how many they were.
    pub fn run<A: Aggregate>(&mut self, id: impl Into<Uuid>, command: &A::Command) -> Result<usize, Refused> {
        let (id, facts) = (id.into(), self.facts);
        let events = self.state::<A>(id)?.decide(command, &facts)?;
        let count = events.len();
        let involved = self.find::<A>(id)?;
        if !involved.writable {
            return Err(unnamed(A::TYPE));
        }
        for event in events {
            let change = Happened::<A>(event);
            if let Some(working) = &mut involved.working {
                change.apply(working.as_mut());
            }
            involved.changes.push(Box::new(change));
        }
        Ok(count)
    }

    /// Who holds a claim that [`Operation::claims`] named, or the hashed one of a kind.
    pub fn holder(&self, key: ClaimKey) -> Option<Uuid> {
        self.held.get(&key).copied()
    }

    /// The claim of a personal value that [`Operation::hashed`] named.
    pub fn hashed(&self, kind: &'static str) -> Option<ClaimKey> {
        self.hashed.get(kind).map(|key| ClaimKey { organization: self.admission.organization, key: *key })
    }

    /// The same, where the operation cannot do without it.
    ///
    /// # Errors
    /// A slip of the operation: it did not name the value.
    pub fn claim_of(&self, kind: &'static str) -> Result<ClaimKey, Refused> {
        self.hashed(kind)
            .ok_or_else(|| Refused::new(Code::InternalError, "claim_not_hashed", format!("the engine gave no claim of {kind}")))
    }

    /// Reserves a key with the append.
    pub fn claim(&mut self, key: ClaimKey, owner: impl Into<Uuid>) {
        self.claims.push(Claim::new(key, owner));
    }

    pub fn release(&mut self, key: ClaimKey) {
        self.releases.push(key);
    }

    /// Lets go of all that is claimed in an organization, which is these keys.
    pub fn release_all(&mut self, organization: OrganizationId, keys: &[ClaimKey]) {
        self.releases.extend(keys);
        self.released = Some(organization);
    }

    fn find<A: Aggregate>(&mut self, id: Uuid) -> Result<&mut Involved<'a>, Refused> {
        let found = self.involved.iter_mut().find(|involved| involved.stream.name.id == id && involved.stream.name.stream_type == A::TYPE);
        found.ok_or_else(|| unnamed(A::TYPE))
    }
}

/// A slip of the operation: it works on a stream that it did not name.
fn unnamed(stream_type: &'static str) -> Refused {
    Refused::new(Code::InternalError, "stream_not_named", format!("the operation did not name its stream of type {stream_type}"))
}
