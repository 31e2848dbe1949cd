//! Every aggregate, once. The event catalogue, the fold that shows a past state, and every test
//! that goes over all aggregates derive from this one list.

use crate::kernel::{Aggregate, Event, EventSpec, Purpose, UnreadableEvent};
use serde::Serialize;
use serde_json::Value;

pub mod clear_text;
pub mod data_map;
pub mod information;
#[cfg(test)]
mod tests;

pub use data_map::{DataMapEntry, ErasedWith, data_map};
pub use information::{DataCategory, PurposeInformation, information, record_of_processing};

/// Lists the aggregates, each with who owns what it records: adding one here is all the registration there is.
macro_rules! aggregates {
    ($($aggregate:ty => [$($owner:ident),+]),* $(,)?) => {
        /// Every aggregate, as data.
        pub const AGGREGATES: &[AggregateSpec] = &[$(AggregateSpec::of::<$aggregate>(&[$(Owner::$owner),+])),*];

        /// Shows every aggregate to `visitor`, as a type.
        pub fn visit_aggregates(visitor: &mut impl AggregateVisitor) {
            $(visitor.visit::<$aggregate>();)*
        }
    };
}

aggregates! {
    crate::organizations::organization::Organization => [Platform],
    crate::organizations::domain::Domain => [Organization],
    crate::organizations::provisioning::Provisioning => [Platform],
    crate::identity::user::User => [Organization],
    crate::identity::credential::Credential => [Organization],
    crate::identity::sessions::Sessions => [Organization],
    crate::identity::memberships::Memberships => [User],
    crate::identity::sign_in_watch::SignInWatch => [Organization],
    crate::identity::role_catalogue::RoleCatalogue => [Organization],
    crate::identity::invitation::Invitation => [Organization],
    crate::identity::user_import::UserImport => [Organization],
    crate::identity::signup_policy::SignupPolicy => [Organization],
    crate::identity::signup::Signup => [Organization],
    crate::identity::api_key::ApiKey => [Organization],
    crate::identity::policy_store::PolicyStore => [Organization],
    crate::identity::elevation::Elevation => [Organization],
    crate::identity::connection::Connection => [Organization],
    crate::points::Program => [Organization],
    crate::points::Account => [Organization, User],
    crate::challenges::activity_log::ActivityLog => [Organization, User],
    crate::challenges::closed_days::ClosedDays => [Organization],
    crate::compliance::access_record::AccessRecord => [Platform],
    crate::compliance::deletion_request::DeletionRequest => [Organization],
    crate::compliance::legal_holds::LegalHolds => [Organization],
    crate::compliance::retention_schedule::RetentionSchedule => [Organization],
    crate::compliance::legal_document::LegalDocuments => [Organization],
    crate::compliance::consent::Consents => [Organization, User],
    crate::compliance::subject_request::SubjectRequest => [Organization, User],
    crate::compliance::subject_export::SubjectExport => [User],
    crate::compliance::breach_case::BreachCase => [Organization],
    crate::compliance::saved_searches::SavedSearches => [Organization],
    crate::compliance::audit_schedules::AuditSchedules => [Organization],
    crate::compliance::siem_stream::SiemStream => [Organization],
    crate::compliance::access_anomaly::AccessAnomaly => [Organization],
    crate::compliance::access_review::AccessReview => [Organization],
    crate::experts::assignments::ExpertAssignments => [Organization, User],
    crate::recognition::team::Team => [Organization],
    crate::messaging::letter::Letter => [Organization],
}

/// What goes over every aggregate with its types in hand.
pub trait AggregateVisitor {
    fn visit<A: Aggregate>(&mut self);
}

type Resume = fn(Option<&Value>) -> Result<Box<dyn StateFold>, serde_json::Error>;

/// Who owns what a kind of stream records (E-82): who has it begin and end, and to whom it answers. Where there
/// are two, neither decides about it without regard to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Owner {
    /// Whoever runs Palmares: organizations make use of it, and change it no more than the platform lets them.
    Platform,
    /// The organization of the stream, within which it stays.
    Organization,
    /// The person whom it is about.
    User,
}

impl Owner {
    pub fn name(self) -> &'static str {
        match self {
            Owner::Platform => "platform",
            Owner::Organization => "organization",
            Owner::User => "user",
        }
    }
}

/// One aggregate, as data.
#[derive(Clone, Copy, Debug)]
pub struct AggregateSpec {
    pub stream_type: &'static str,
    pub owners: &'static [Owner],
    /// The version of its state's shape.
    pub shape: u16,
    pub catalogue: &'static [EventSpec],
    /// The purpose of the personal data that it decides on; its snapshots are sealed for it.
    pub decides_on: Option<Purpose>,
    resume: Resume,
}

impl AggregateSpec {
    const fn of<A: Aggregate>(owners: &'static [Owner]) -> Self {
        Self {
            stream_type: A::TYPE,
            owners,
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
