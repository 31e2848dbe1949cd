//! Why a command for an export is refused.

use super::ExportStatus;
use crate::kernel::{Code, Refusal, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectExportError {
    /// Also of another's.
    #[error("no such export")]
    NotFound,
    #[error("the export already exists")]
    AlreadyExists,
    #[error("the time of the export is over, and what was built is deleted")]
    Expired,
    /// Not a way of the life cycle.
    #[error("an export that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: ExportStatus, to: ExportStatus },
}

impl Refusal for SubjectExportError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::AlreadyExists | Self::Expired => Code::Conflict,
            Self::TransitionForbidden { .. } => Code::ValidationError,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.export_not_found",
            Self::AlreadyExists => "compliance.export_already_exists",
            Self::Expired => "compliance.export_expired",
            Self::TransitionForbidden { .. } => "compliance.export_transition_forbidden",
        }
    }

    fn field(&self) -> Option<&'static str> {
        matches!(self, Self::TransitionForbidden { .. }).then_some("status")
    }

    fn standing(&self) -> Option<Standing> {
        match self {
            Self::TransitionForbidden { from, .. } => Some(Standing::at(*from)),
            _ => None,
        }
    }

    fn is_attempt(&self) -> bool {
        matches!(self, Self::TransitionForbidden { .. })
    }
}
