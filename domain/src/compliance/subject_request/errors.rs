//! Why a command for a subject request is refused.

use super::{EXTENSION_MAX_MONTHS, RECEIVED_MAX_MONTHS_AGO, SubjectRequestKind, SubjectRequestStatus};
use crate::{
    compliance::subject_export::ExportFormat,
    kernel::{Code, Refusal, Standing},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectRequestError {
    /// Also of another's, for whoever may not know of it.
    #[error("no such request")]
    NotFound,
    #[error("the request already exists")]
    AlreadyExists,
    #[error("a reason, a note or details have 1 to 500 characters")]
    TextInvalid(&'static str),
    #[error("the time is extended by 1 to {EXTENSION_MAX_MONTHS} months")]
    ExtensionInvalid,
    #[error("the time was extended already")]
    AlreadyExtended,
    #[error("the time is extended before it is over, and whoever asked is told by then")]
    ExtendedTooLate,
    #[error("a deletion answers a request for erasure only")]
    NoErasure,
    /// Also one of another.
    #[error("no such deletion of whoever asked")]
    DeletionNotFound,
    #[error("nobody has approved the deletion, or it was taken back")]
    DeletionNotApproved,
    #[error("a request was received within the last {RECEIVED_MAX_MONTHS_AGO} months")]
    ReceivedAtInvalid,
    #[error("nobody handles their own request")]
    OwnRequest,
    #[error("a request for a copy is answered by an export that was made for it")]
    ExportRequired,
    #[error("an export answers a request for a copy only")]
    NoCopyAsked,
    #[error("a copy in this form does not answer a request for {}", .0.name())]
    FormatUnfit(SubjectRequestKind),
    #[error("what was done is said in a note")]
    NoteRequired,
    /// Not a way of the life cycle.
    #[error("a request that is {} cannot become {}", from.name(), to.name())]
    TransitionForbidden { from: SubjectRequestStatus, to: SubjectRequestStatus },
}

impl Refusal for SubjectRequestError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::DeletionNotFound => Code::ResourceNotFound,
            Self::TextInvalid(_)
            | Self::ExtensionInvalid
            | Self::NoErasure
            | Self::ReceivedAtInvalid
            | Self::ExportRequired
            | Self::NoCopyAsked
            | Self::FormatUnfit(_)
            | Self::NoteRequired
            | Self::TransitionForbidden { .. } => Code::ValidationError,
            Self::AlreadyExists | Self::AlreadyExtended | Self::ExtendedTooLate | Self::OwnRequest | Self::DeletionNotApproved => {
                Code::Conflict
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.request_not_found",
            Self::AlreadyExists => "compliance.request_already_exists",
            Self::TextInvalid(_) => "compliance.text_invalid",
            Self::ExtensionInvalid => "compliance.extension_invalid",
            Self::AlreadyExtended => "compliance.already_extended",
            Self::ExtendedTooLate => "compliance.extended_too_late",
            Self::NoErasure => "compliance.request_no_erasure",
            Self::DeletionNotFound => "compliance.deletion_not_found",
            Self::DeletionNotApproved => "compliance.deletion_not_approved",
            Self::ReceivedAtInvalid => "compliance.request_received_at_invalid",
            Self::OwnRequest => "compliance.request_own",
            Self::ExportRequired => "compliance.request_export_required",
            Self::NoCopyAsked => "compliance.request_no_copy",
            Self::FormatUnfit(_) => "compliance.request_format_unfit",
            Self::NoteRequired => "compliance.request_note_required",
            Self::TransitionForbidden { .. } => "compliance.request_transition_forbidden",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::TextInvalid(field) => Some(field),
            Self::ExtensionInvalid => Some("months"),
            Self::NoErasure => Some("deletion_request_id"),
            Self::ReceivedAtInvalid => Some("received_at"),
            Self::ExportRequired | Self::NoCopyAsked => Some("export_id"),
            Self::FormatUnfit(_) => Some("format"),
            Self::NoteRequired => Some("note"),
            Self::TransitionForbidden { .. } => Some("status"),
            _ => None,
        }
    }

    fn accepted(&self) -> Vec<&'static str> {
        match self {
            Self::FormatUnfit(kind) => kind.copy_formats().iter().copied().map(ExportFormat::name).collect(),
            _ => Vec::new(),
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
