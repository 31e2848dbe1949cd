//! Why a command for an import is refused.

use super::ImportStatus;
use crate::kernel::{Code, Refusal, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserImportError {
    #[error("no such import")]
    NotFound,
    #[error("the import already exists")]
    AlreadyExists,
    #[error("an import has 1 to 2,000 rows")]
    RowCount,
    /// Not a way of B.4.
    #[error("an import that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: ImportStatus, to: ImportStatus },
    #[error("no row of the import can be run")]
    NothingToDo,
    #[error("the import has no such row, or it is not its turn")]
    RowNotOpen,
    #[error("rows of the run are still open")]
    RowsOpen,
}

impl Refusal for UserImportError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::RowCount | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists | Self::NothingToDo | Self::RowNotOpen | Self::RowsOpen => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "identity.import_not_found",
            Self::AlreadyExists => "identity.import_already_exists",
            Self::RowCount => "identity.import_row_count",
            Self::TransitionForbidden { .. } => "identity.import_transition_forbidden",
            Self::NothingToDo => "identity.import_nothing_to_do",
            Self::RowNotOpen => "identity.import_row_not_open",
            Self::RowsOpen => "identity.import_rows_open",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::RowCount => Some("csv"),
            Self::TransitionForbidden { .. } => Some("status"),
            _ => None,
        }
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
