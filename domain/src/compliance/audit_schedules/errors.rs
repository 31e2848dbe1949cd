//! Why something is refused of somebody's schedules.

use super::aggregate::SCHEDULES_MAX;
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditSchedulesError {
    #[error("no such schedule")]
    NotFound,
    #[error("at most {SCHEDULES_MAX} schedules are kept")]
    TooMany,
    #[error("an hour is 0 to 23")]
    HourInvalid,
    #[error("no such time zone")]
    TimeZoneUnknown,
    #[error("the audit log is taken out as JSON or as a table")]
    FormatInvalid,
    #[error("at most 20 filters of at most 200 characters, and none of a span")]
    FiltersInvalid,
    #[error("addresses and words are searched for and not kept: they may be about somebody")]
    FilterAboutSomebody,
    #[error("the schedule is paused")]
    Paused,
    #[error("the schedule runs")]
    NotPaused,
    #[error("what the schedule looks for, or the key that it is sealed to, can be read no more")]
    Unreadable,
}

impl Refusal for AuditSchedulesError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::HourInvalid | Self::TimeZoneUnknown | Self::FormatInvalid | Self::FiltersInvalid | Self::FilterAboutSomebody => {
                Code::ValidationError
            }
            Self::TooMany | Self::Paused | Self::NotPaused | Self::Unreadable => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.audit_schedule_not_found",
            Self::TooMany => "compliance.too_many_audit_schedules",
            Self::HourInvalid => "compliance.hour_invalid",
            Self::TimeZoneUnknown => "compliance.time_zone_unknown",
            Self::FormatInvalid => "compliance.audit_schedule_format_invalid",
            Self::FiltersInvalid => "compliance.search_filters_invalid",
            Self::FilterAboutSomebody => "compliance.search_filter_about_somebody",
            Self::Paused => "compliance.audit_schedule_paused",
            Self::NotPaused => "compliance.audit_schedule_not_paused",
            Self::Unreadable => "compliance.audit_schedule_unreadable",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::HourInvalid => Some("hour"),
            Self::TimeZoneUnknown => Some("time_zone"),
            Self::FormatInvalid => Some("format"),
            Self::FiltersInvalid | Self::FilterAboutSomebody => Some("filters"),
            Self::NotFound | Self::TooMany | Self::Paused | Self::NotPaused | Self::Unreadable => None,
        }
    }
}
