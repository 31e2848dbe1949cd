//! A route is a row: what it answers, who may ask, and how often. Everything else derives from it.
//!
//! Commands and queries are what every context has. The rest are exceptions (streams, actions,
//! doors and public pages), which a snapshot counts.

use super::server::Services;
use super::{
    action::{self, Action},
    call::{Answer, Call},
    command::{self, AsGiven, Prepare},
    door::{self, Door},
    live::{self, Live},
    query,
    stream::{self, Streaming},
};
use crate::{
    openapi::{Description, describe},
    problem::Problem,
};
use futures::future::LocalBoxFuture;
use palmares_commands::engine::Capability;
use palmares_domain::kernel::{DataClass, Tenant};
use palmares_projections::engine::Query;
use serde_json::{Map, Value};
use std::time::Duration;
use utoipa::ToSchema;

/// Where the interface starts.
pub const BASE: &str = "/api/v1";

/// A method of HTTP that rows may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }
}

pub use palmares_commands::engine::Throttle;

/// What kind of row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Command,
    Query,
    Stream,
    Action,
    /// For callers who are not known yet.
    Door,
    Public,
}

/// Looks, within this time, whether what was accepted with this answer is done.
pub(crate) type Settle =
    for<'a> fn(&'a Services, Tenant, &'a Map<String, Value>, Duration) -> LocalBoxFuture<'a, Result<Option<Settled>, Problem>>;

/// What an accepted command became.
pub(crate) struct Settled {
    pub answer: Map<String, Value>,
    /// Where this is true.
    pub position: i64,
    /// The version that the resource has there.
    pub version: i64,
}

/// How a row is served.
pub(super) type Serve = for<'a> fn(&'a mut Call<'_>) -> LocalBoxFuture<'a, Answer>;

/// What an accepted command makes of its resource, as its answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// 200: it is changed.
    Changed,
    /// 201: it is there, under `under` and the id in this field of the answer.
    Created { under: &'static str, id_field: &'static str },
    /// 202: it is under way, and can be asked for there.
    Accepted { under: &'static str, id_field: &'static str },
}

/// One row of the table that serves.
pub struct Route {
    pub verb: Verb,
    /// Below [`BASE`], except for public rows.
    pub path: &'static str,
    pub kind: Kind,
    /// What the caller needs; `None` for doors and public rows.
    pub permission: Option<&'static str>,
    pub throttle: Throttle,
    /// Reads from `Confidential` up are recorded before they are answered.
    pub data_class: DataClass,
    /// The media type that a client asks for to get this row rather than another at the same path.
    pub accept: Option<&'static str>,
    /// Where the row takes more than [`super::Settings::body_max_bytes`].
    pub body_max_bytes: Option<usize>,
    pub becomes: Becomes,
    /// Whether the answer is a table or a batch, whose refused rows are told in words too.
    pub words_rows: bool,
    /// The parameter that names whose it is, where what it makes is found by that as well.
    pub located_by: Option<&'static str>,
    /// Whether it is one more address of another row's operation.
    pub alias: bool,
    /// Whether people may use it before they agreed to what their organization requires.
    pub before_consent: bool,
    /// Whether the caller has to have shown a moment ago who they are (`POST /me/step-up`).
    pub needs_proof: bool,
    /// The field that only the first answer has, and no repeated one.
    pub shows_once: Option<&'static str>,
    /// How to wait until what was accepted is done, for callers who prefer to.
    pub(super) settle: Option<Settle>,
    pub(super) serve: Serve,
    pub(crate) describe: fn() -> Description,
}

impl Route {
    const fn row(verb: Verb, path: &'static str, kind: Kind, serve: Serve, describe: fn() -> Description) -> Self {
        Self {
            verb,
            path,
            kind,
            permission: None,
            throttle: Throttle::Read,
            data_class: DataClass::Internal,
            accept: None,
            body_max_bytes: None,
            becomes: Becomes::Changed,
            words_rows: false,
            located_by: None,
            alias: false,
            before_consent: false,
            needs_proof: false,
            shows_once: None,
            settle: None,
            serve,
            describe,
        }
    }

    /// A command: its body is the operation, with the parameters of the path put in.
    pub const fn command<O: Capability>(verb: Verb, path: &'static str) -> Self {
        Self::prepared::<O, AsGiven>(verb, path)
    }

    /// A command into which `P` puts what its caller cannot know.
    pub const fn prepared<O: Capability, P: Prepare<O> + 'static>(verb: Verb, path: &'static str) -> Self {
        let row = Self::row(verb, path, Kind::Command, |call| Box::pin(command::serve::<O, P>(call)), describe::command::<O>);
        Self { permission: Some(O::PERMISSION), throttle: O::THROTTLE, shows_once: P::FIELD, ..row }
    }

    pub const fn post<O: Capability>(path: &'static str) -> Self {
        Self::command::<O>(Verb::Post, path)
    }

    pub const fn patch<O: Capability>(path: &'static str) -> Self {
        Self::command::<O>(Verb::Patch, path)
    }

    pub const fn put<O: Capability>(path: &'static str) -> Self {
        Self::command::<O>(Verb::Put, path)
    }

    pub const fn delete<O: Capability>(path: &'static str) -> Self {
        Self::command::<O>(Verb::Delete, path)
    }

    /// A query: its fields are the parameters of path and query string.
    pub const fn get<Q: Query + ToSchema + 'static>(path: &'static str, permission: &'static str) -> Self {
        let row = Self::row(Verb::Get, path, Kind::Query, |call| Box::pin(query::serve::<Q>(call)), describe::query::<Q>);
        Self { permission: Some(permission), data_class: Q::DATA_CLASS, ..row }
    }

    /// An answer too long for memory.
    pub const fn stream<S: Streaming>(path: &'static str, permission: &'static str) -> Self {
        let row = Self::row(Verb::Get, path, Kind::Stream, |call| Box::pin(stream::serve::<S>(call)), describe::stream::<S>);
        Self { permission: Some(permission), throttle: Throttle::Export, ..row }
    }

    /// What happens, as it happens.
    pub const fn live<L: Live>(path: &'static str, permission: &'static str) -> Self {
        let row = Self::row(Verb::Get, path, Kind::Stream, |call| Box::pin(live::serve::<L>(call)), describe::live::<L>);
        Self { permission: Some(permission), throttle: Throttle::Export, ..row }
    }

    /// What concerns the machinery rather than the business.
    pub const fn action<A: Action>(verb: Verb, path: &'static str, permission: &'static str) -> Self {
        let throttle = match verb {
            Verb::Get => Throttle::Read,
            _ => Throttle::Write,
        };
        let row = Self::row(verb, path, Kind::Action, |call| Box::pin(action::serve::<A>(call)), describe::action::<A>);
        Self { permission: Some(permission), throttle, ..row }
    }

    /// A way in for whoever is not known yet. Each one is an exception that has to be reviewed.
    pub(crate) const fn door<D: Door>(verb: Verb, path: &'static str) -> Self {
        let row = Self::row(verb, path, Kind::Door, |call| Box::pin(door::serve::<D>(call)), describe::door::<D>);
        Self { throttle: Throttle::Write, ..row }
    }

    /// A page or a figure for everyone. Each one is an exception that has to be reviewed.
    pub(crate) const fn public(path: &'static str, serve: Serve, describe: fn() -> Description) -> Self {
        let row = Self::row(Verb::Get, path, Kind::Public, serve, describe);
        Self { data_class: DataClass::Public, ..row }
    }

    pub const fn throttled(mut self, throttle: Throttle) -> Self {
        self.throttle = throttle;
        self
    }

    /// Serve this row only to clients that ask for `media_type`.
    pub const fn accepting(mut self, media_type: &'static str) -> Self {
        self.accept = Some(media_type);
        self
    }

    /// Take bodies up to this size.
    pub const fn body_up_to(mut self, bytes: usize) -> Self {
        self.body_max_bytes = Some(bytes);
        self
    }

    /// The command creates a resource, which is read under this path.
    pub const fn creating(mut self, under: &'static str, id_field: &'static str) -> Self {
        self.becomes = Becomes::Created { under, id_field };
        self
    }

    /// The command sets something going, which is read under this path.
    pub const fn starting(mut self, under: &'static str, id_field: &'static str) -> Self {
        self.becomes = Becomes::Accepted { under, id_field };
        self
    }

    /// The answer is a table or a batch: what is wrong with its rows is told in words too.
    pub const fn wording_rows(mut self) -> Self {
        self.words_rows = true;
        self
    }

    /// What it makes is one person's: its address names them in this parameter, by which it is found by them too.
    pub const fn located_by(mut self, owner_param: &'static str) -> Self {
        self.located_by = Some(owner_param);
        self
    }

    /// The row is one more address of an operation that another row serves.
    pub const fn alias(mut self) -> Self {
        self.alias = true;
        self
    }

    /// People may use the row before they agreed to what their organization requires.
    pub const fn before_consent(mut self) -> Self {
        self.before_consent = true;
        self
    }

    /// The caller has to have shown a moment ago who they are.
    pub const fn needing_proof(mut self) -> Self {
        self.needs_proof = true;
        self
    }

    /// Answer a caller who prefers to wait (`Prefer: wait=<seconds>`) once it is done (A11).
    pub(crate) const fn settling(mut self, settle: Settle) -> Self {
        self.settle = Some(settle);
        self
    }

    /// What the document calls it: an operation has one name at each of its addresses.
    pub(crate) fn operation_id(&self, operation: &str) -> String {
        match () {
            () if self.alias => format!("{operation}Alias"),
            () if self.is_about_caller() => format!("Own{operation}"),
            () => operation.to_owned(),
        }
    }

    /// Whether the row is about whoever asks: then their id is `user_id`, and they cannot say another.
    pub fn is_about_caller(&self) -> bool {
        self.path == "/me" || self.path.starts_with("/me/")
    }

    /// The whole path, parameters in braces: what metrics, logs and documents call the route.
    pub fn pattern(&self) -> String {
        match self.kind {
            Kind::Public => self.path.to_owned(),
            _ => format!("{BASE}{}", self.path),
        }
    }
}
