//! Events: stable names, versions, and the class of every field, declared together by [`events!`].

use super::{PersonalVisitor, Purpose};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How far a field may travel (design 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataClass {
    Public,
    Internal,
    Confidential,
    Restricted,
}

/// One field of an event, as the data map shows it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FieldSpec {
    pub name: &'static str,
    pub rust_type: &'static str,
    pub class: DataClass,
    /// The field that names the data subject, and the purpose, where the field is personal.
    pub personal: Option<(&'static str, Purpose)>,
}

/// One event type, as the catalogue shows it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EventSpec {
    pub name: &'static str,
    pub schema_version: u16,
    pub fields: &'static [FieldSpec],
}

/// A stored event that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    #[error("no event is named `{0}` in version {1}")]
    Unknown(String, u16),
    #[error("the payload of `{name}` does not fit: {source}")]
    Malformed { name: String, source: serde_json::Error },
}

/// The events of one aggregate.
pub trait Event: Clone + Send + Sync + std::fmt::Debug + 'static {
    /// Every event type of the aggregate.
    const CATALOGUE: &'static [EventSpec];

    /// The stored name: stable, never following a rename of the type.
    fn event_type(&self) -> &'static str;
    fn schema_version(&self) -> u16;
    /// The payload as the JSON that is stored; an error while a personal field is not sealed.
    fn to_payload(&self) -> Result<Vec<u8>, serde_json::Error>;
    fn from_payload(event_type: &str, schema_version: u16, payload: &[u8]) -> Result<Self, UnreadableEvent>;
    /// Shows every personal field to `visitor`.
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor);
    /// When the event was true, where that is not when it was recorded.
    fn effective_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// Used by [`events!`]; the payload of one event.
pub fn parse_payload<T: DeserializeOwned>(name: &str, payload: &[u8]) -> Result<T, UnreadableEvent> {
    serde_json::from_slice(payload).map_err(|source| UnreadableEvent::Malformed { name: name.to_owned(), source })
}

/// Declares the events of an aggregate: stored name, version, fields with their class and, where
/// personal, the field that names the subject and the purpose.
///
/// ```text
/// events! {
///     /// What happens to a user.
///     pub enum UserEvent {
///         UserCreated = "identity.user_created" v 1 {
///             user_id: UserId = internal,
///             external_ref: Personal<String> = confidential of user_id for Profile,
///         }
///     }
/// }
/// ```
/// A field whose type is text must be `Personal` or say its class; every field says its class, so
/// leaving it out does not compile.
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident {
            $(
                $(#[$event_meta:meta])*
                $event:ident = $name:literal v $version:literal {
                    $( $(#[$field_meta:meta])* $field:ident : $ty:ty = $class:ident $(of $subject:ident for $purpose:ident)? ),* $(,)?
                }
            ),* $(,)?
        }
        $( effective_at($effective:ident) $effective_body:block )?
    ) => {
        $(
            $(#[$event_meta])*
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $event { $( $(#[$field_meta])* pub $field: $ty ),* }

            impl From<$event> for $enum { fn from(event: $event) -> Self { $enum::$event(event) } }
        )*

        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $enum { $( $event($event) ),* }

        impl $crate::kernel::Event for $enum {
            const CATALOGUE: &'static [$crate::kernel::EventSpec] = &[$(
                $crate::kernel::EventSpec {
                    name: $name,
                    schema_version: $version,
                    fields: &[$(
                        $crate::kernel::FieldSpec {
                            name: stringify!($field),
                            rust_type: stringify!($ty),
                            class: $crate::events!(@class $class),
                            personal: $crate::events!(@personal $($subject $purpose)?),
                        }
                    ),*],
                }
            ),*];

            fn event_type(&self) -> &'static str {
                match self { $( $enum::$event(_) => $name ),* }
            }

            fn schema_version(&self) -> u16 {
                match self { $( $enum::$event(_) => $version ),* }
            }

            fn to_payload(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $( $enum::$event(event) => serde_json::to_vec(event) ),* }
            }

            fn from_payload(event_type: &str, schema_version: u16, payload: &[u8]) -> Result<Self, $crate::kernel::UnreadableEvent> {
                match (event_type, schema_version) {
                    $( ($name, $version) => $crate::kernel::event::parse_payload::<$event>($name, payload).map($enum::$event), )*
                    _ => Err($crate::kernel::UnreadableEvent::Unknown(event_type.to_owned(), schema_version)),
                }
            }

            fn visit_personal(&mut self, visitor: &mut dyn $crate::kernel::PersonalVisitor) {
                let _ = &visitor;
                match self {
                    $( $enum::$event(event) => {
                        let _ = &event;
                        $( $( visitor.field(stringify!($field), event.$subject.into(), $crate::kernel::Purpose::$purpose, &mut event.$field); )? )*
                    } )*
                }
            }

            $( fn effective_at(&self) -> Option<chrono::DateTime<chrono::Utc>> { let $effective = self; $effective_body } )?
        }
    };
    (@class public) => { $crate::kernel::DataClass::Public };
    (@class internal) => { $crate::kernel::DataClass::Internal };
    (@class confidential) => { $crate::kernel::DataClass::Confidential };
    (@class restricted) => { $crate::kernel::DataClass::Restricted };
    (@personal) => { None };
    (@personal $subject:ident $purpose:ident) => { Some((stringify!($subject), $crate::kernel::Purpose::$purpose)) };
}
