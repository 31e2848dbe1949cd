//! Why an entry of an access record is refused: only ever for its own shape.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRecordError {
    #[error("a route is a pattern of 1 to 200 printable ASCII characters")]
    RouteInvalid,
    #[error("a permission is `context.noun.verb`")]
    PermissionInvalid,
    #[error("filters are at most 20 pairs of opaque tokens")]
    FiltersInvalid,
}

impl Refusal for AccessRecordError {
    fn code(&self) -> Code {
        Code::ValidationError
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::RouteInvalid => "compliance.route_invalid",
            Self::PermissionInvalid => "compliance.permission_invalid",
            Self::FiltersInvalid => "compliance.filters_invalid",
        }
    }

    fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::RouteInvalid => "route",
            Self::PermissionInvalid => "permission",
            Self::FiltersInvalid => "filters",
        })
    }
}
