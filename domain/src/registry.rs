//! Every aggregate, once. The event catalogue, the fold that shows a past state, and every test
//! that goes over all aggregates derive from this one list.

use crate::kernel::{Aggregate, Event, EventSpec, Purpose, UnreadableEvent};
use serde_json::Value;

pub mod data_map;
#[cfg(test)]
mod tests;

pub use data_map::{DataMapEntry, data_map};

/// Lists the aggregates: adding one here is all the registration there is.
macro_rules! aggregates {
    ($($aggregate:ty),* $(,)?) => {
        /// Every aggregate, as data.
        pub const AGGREGATES: &[AggregateSpec] = &[$(AggregateSpec::of::<$aggregate>()),*];

        /// Shows every aggregate to `visitor`, as a type.
        pub fn visit_aggregates(visitor: &mut impl AggregateVisitor) {
            $(visitor.visit::<$aggregate>();)*
        }
    };
}

aggregates! {
    crate::organizations::organization::Organization,
    crate::organizations::domain::Domain,
    crate::organizations::provisioning::Provisioning,
    crate::identity::user::User,
    crate::identity::credential::Credential,
    crate::identity::sessions::Sessions,
    crate::identity::memberships::Memberships,
    crate::identity::sign_in_watch::SignInWatch,
    crate::identity::role_catalogue::RoleCatalogue,
    crate::identity::invitation::Invitation,
    crate::identity::user_import::UserImport,
    crate::identity::signup_policy::SignupPolicy,
    crate::identity::signup::Signup,
    crate::identity::api_key::ApiKey,
    crate::identity::policy_store::PolicyStore,
    crate::identity::elevation::Elevation,
    crate::identity::connection::Connection,
    crate::points::Program,
    crate::points::Account,
    crate::challenges::activity_log::ActivityLog,
    crate::challenges::closed_days::ClosedDays,
    crate::compliance::access_record::AccessRecord,
    crate::compliance::deletion_request::DeletionRequest,
    crate::compliance::legal_holds::LegalHolds,
    crate::compliance::retention_schedule::RetentionSchedule,
    crate::compliance::legal_document::LegalDocuments,
    crate::compliance::consent::Consents,
    crate::compliance::subject_request::SubjectRequest,
    crate::compliance::subject_export::SubjectExport,
    crate::compliance::breach_case::BreachCase,
    crate::compliance::saved_searches::SavedSearches,
    crate::compliance::audit_schedules::AuditSchedules,
    crate::compliance::siem_stream::SiemStream,
    crate::compliance::access_anomaly::AccessAnomaly,
    crate::compliance::access_review::AccessReview,
    crate::experts::assignments::ExpertAssignments,
    crate::messaging::letter::Letter,
}

/// What goes over every aggregate with its types in hand.
pub trait AggregateVisitor {
    fn visit<A: Aggregate>(&mut self);
}

type Resume = fn(Option<&Value>) -> Result<Box<dyn StateFold>, serde_json::Error>;

/// One aggregate, as data.
#[derive(Clone, Copy, Debug)]
pub struct AggregateSpec {
    pub stream_type: &'static str,
    /// The version of its state's shape.
    pub shape: u16,
    pub catalogue: &'static [EventSpec],
    /// The purpose of the personal data that it decides on; its snapshots are sealed for it.
    pub decides_on: Option<Purpose>,
    resume: Resume,
}

impl AggregateSpec {
    const fn of<A: Aggregate>() -> Self {
        Self {
            stream_type: A::TYPE,
            shape: A::SHAPE,
            catalogue: A::Event::CATALOGUE,
            decides_on: A::DECIDES_ON_PERSONAL_DATA,
            resume: resume::<A>,
        }
    }

    /// A fold over a stream of this type, from `state` as an earlier fold gave it, or from the
    /// beginning. An error where `state` has another shape.
    pub fn fold(&self, state: Option<&Value>) -> Result<Box<dyn StateFold>, serde_json::Error> {
        (self.resume)(state)
    }
}

/// The state of a stream as JSON, event by event, for whoever shows states without deciding on
/// them: the audit trail's before and after, a past state.
///
/// Personal fields stay sealed: the state shows their digests, and an aggregate that decides on
/// personal data shows itself closed.
pub trait StateFold: Send {
    fn apply(&mut self, event_type: &str, schema_version: u16, payload: &[u8]) -> Result<(), UnreadableEvent>;
    fn state(&self) -> Result<Value, serde_json::Error>;
}

struct Fold<A>(A);

impl<A: Aggregate> StateFold for Fold<A> {
    fn apply(&mut self, event_type: &str, schema_version: u16, payload: &[u8]) -> Result<(), UnreadableEvent> {
        self.0.evolve(&A::Event::from_payload(event_type, schema_version, payload)?);
        Ok(())
    }

    fn state(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&self.0)
    }
}

fn resume<A: Aggregate>(state: Option<&Value>) -> Result<Box<dyn StateFold>, serde_json::Error> {
    let state = state.map_or_else(|| Ok(A::default()), A::deserialize)?;
    Ok(Box::new(Fold(state)))
}

/// The aggregate of a stream type.
pub fn aggregate(stream_type: &str) -> Option<&'static AggregateSpec> {
    AGGREGATES.iter().find(|aggregate| aggregate.stream_type == stream_type)
}

/// Every event type of every aggregate.
pub fn event_catalogue() -> impl Iterator<Item = &'static EventSpec> {
    AGGREGATES.iter().flat_map(|aggregate| aggregate.catalogue)
}

/// The event type of a stored name and version.
pub fn event_spec(event_type: &str, schema_version: u16) -> Option<&'static EventSpec> {
    event_catalogue().find(|event| event.name == event_type && event.schema_version == schema_version)
}
