//! What a person may ask, and on which grounds it may be refused.

use crate::compliance::subject_export::ExportFormat;
use serde::{Deserialize, Serialize};

/// The right that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectRequestKind {
    /// GDPR, article 15.
    Access,
    /// Article 17.
    Erasure,
    /// Article 16.
    Rectification,
    /// Article 18.
    Restriction,
    /// Article 21.
    Objection,
    /// Article 20.
    Portability,
}

impl SubjectRequestKind {
    pub const ALL: [SubjectRequestKind; 6] = [
        SubjectRequestKind::Access,
        SubjectRequestKind::Erasure,
        SubjectRequestKind::Rectification,
        SubjectRequestKind::Restriction,
        SubjectRequestKind::Objection,
        SubjectRequestKind::Portability,
    ];

    /// Whether it asks for a copy of what is recorded, which an export is.
    pub fn asks_for_copy(self) -> bool {
        matches!(self, SubjectRequestKind::Access | SubjectRequestKind::Portability)
    }

    /// In which forms a copy answers it: whoever uses article 15 gets the whole of it, and what article 20 gives
    /// is structured and machine-readable. A summary is neither.
    pub fn copy_formats(self) -> &'static [ExportFormat] {
        match self {
            SubjectRequestKind::Access => &[ExportFormat::Json],
            SubjectRequestKind::Portability => &[ExportFormat::Json, ExportFormat::Csv],
            SubjectRequestKind::Erasure
            | SubjectRequestKind::Rectification
            | SubjectRequestKind::Restriction
            | SubjectRequestKind::Objection => &[],
        }
    }

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            SubjectRequestKind::Access => "access",
            SubjectRequestKind::Erasure => "erasure",
            SubjectRequestKind::Rectification => "rectification",
            SubjectRequestKind::Restriction => "restriction",
            SubjectRequestKind::Objection => "objection",
            SubjectRequestKind::Portability => "portability",
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestRefusal {
    /// Manifestly unfounded or excessive (GDPR, article 12(5)).
    Excessive,
    /// Who asks could not be identified (article 12(2)).
    NotIdentified,
    /// A law asks for the data (article 17(3)(b)).
    LegalObligation,
    /// Legal claims (article 17(3)(e)).
    LegalClaims,
    /// The rights of others (article 15(4)).
    RightsOfOthers,
    /// Compelling legitimate grounds (article 21(1)).
    CompellingGrounds,
    /// The right does not apply to this data.
    NotApplicable,
}

impl RequestRefusal {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            RequestRefusal::Excessive => "excessive",
            RequestRefusal::NotIdentified => "not_identified",
            RequestRefusal::LegalObligation => "legal_obligation",
            RequestRefusal::LegalClaims => "legal_claims",
            RequestRefusal::RightsOfOthers => "rights_of_others",
            RequestRefusal::CompellingGrounds => "compelling_grounds",
            RequestRefusal::NotApplicable => "not_applicable",
        }
    }
}
