//! The closed lists of which a deletion speaks.

use crate::kernel::{OrganizationId, Purpose, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whose deletion it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionSubject {
    User(UserId),
    Organization(OrganizationId),
}

impl DeletionSubject {
    pub fn id(self) -> Uuid {
        match self {
            DeletionSubject::User(user) => user.0,
            DeletionSubject::Organization(organization) => organization.0,
        }
    }

    pub fn user(self) -> Option<UserId> {
        match self {
            DeletionSubject::User(user) => Some(user),
            DeletionSubject::Organization(_) => None,
        }
    }
}

/// By which procedure of chapter 7 it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletionKind {
    /// 7A: people ask for their own.
    OwnAccount,
    /// 7B: an administrator asks.
    ByAdmin,
    /// 7C: of somebody who looks after others.
    Expert,
    /// 7D
    Organization,
    /// 7E: by the platform, against the person's will.
    Forced,
}

impl DeletionKind {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            DeletionKind::OwnAccount => "OWN_ACCOUNT",
            DeletionKind::ByAdmin => "BY_ADMIN",
            DeletionKind::Expert => "EXPERT",
            DeletionKind::Organization => "ORGANIZATION",
            DeletionKind::Forced => "FORCED",
        }
    }
}

/// Why the platform may delete somebody against their will (E-171).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForcedGround {
    Fraud,
    Abuse,
    Legal,
    Security,
}

impl ForcedGround {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ForcedGround::Fraud => "fraud",
            ForcedGround::Abuse => "abuse",
            ForcedGround::Legal => "legal",
            ForcedGround::Security => "security",
        }
    }
}

/// On which legal ground a wish for erasure is refused (GDPR, article 17, paragraph 3, and article 12, paragraph 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalGround {
    FreedomOfExpression,
    LegalObligation,
    PublicHealth,
    PublicInterestArchive,
    LegalClaims,
    ManifestlyUnfounded,
}

impl RefusalGround {
    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            RefusalGround::FreedomOfExpression => "freedom_of_expression",
            RefusalGround::LegalObligation => "legal_obligation",
            RefusalGround::PublicHealth => "public_health",
            RefusalGround::PublicInterestArchive => "public_interest_archive",
            RefusalGround::LegalClaims => "legal_claims",
            RefusalGround::ManifestlyUnfounded => "manifestly_unfounded",
        }
    }
}

/// What has to be clear before somebody may go whom others depend on (E-169, E-170).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Nobody is left whom they look after.
    Dependencies,
    /// Nothing is left to be paid.
    Settlement,
    /// No rule of their profession, and no legal hold, keeps what they wrote.
    Retention,
    /// What an organization has recorded was taken out since its deletion was asked for.
    ExportPackage,
}

impl Check {
    /// The name in events and answers.
    pub fn name(self) -> &'static str {
        match self {
            Check::Dependencies => "dependencies",
            Check::Settlement => "settlement",
            Check::Retention => "retention",
            Check::ExportPackage => "export_package",
        }
    }

    /// Why it is open; the key of its translated text.
    pub fn reason(self) -> &'static str {
        match self {
            Check::Dependencies => "compliance.check_dependencies",
            Check::Settlement => "compliance.check_settlement",
            Check::Retention => "compliance.check_retention",
            Check::ExportPackage => "compliance.check_export_package",
        }
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Clear,
    Open,
    /// No part of the platform keeps what would have to be looked at.
    NothingToCheck,
}

/// One check with what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    pub check: Check,
    pub outcome: CheckOutcome,
}

/// Personal data that the law keeps for a while after the subject is anonymous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retained {
    pub purpose: Purpose,
    pub until: DateTime<Utc>,
}

/// The steps of an erasure, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureStep {
    /// And what was claimed under a keyed hash is free again.
    KeysDestroyed,
    ProjectionsPurged,
    EpochRotated,
    RowsDeleted,
    Verified,
}

impl ErasureStep {
    pub const ALL: [ErasureStep; 5] = [
        ErasureStep::KeysDestroyed,
        ErasureStep::ProjectionsPurged,
        ErasureStep::EpochRotated,
        ErasureStep::RowsDeleted,
        ErasureStep::Verified,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ErasureStep::KeysDestroyed => "keys_destroyed",
            ErasureStep::ProjectionsPurged => "projections_purged",
            ErasureStep::EpochRotated => "epoch_rotated",
            ErasureStep::RowsDeleted => "rows_deleted",
            ErasureStep::Verified => "verified",
        }
    }

    /// The step that follows `done`; none after the last.
    pub fn after(done: Option<ErasureStep>) -> Option<ErasureStep> {
        Self::ALL.into_iter().find(|step| done.is_none_or(|done| *step > done))
    }
}

/// The four conditions of a purge, each with what proves it (E-163).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurgeConditions {
    pub retention_expired_at: DateTime<Utc>,
    /// Who reviewed the deletion for compliance.
    pub reviewed_by: UserId,
    /// When projections, claims and sealed rows were found free of the subject.
    pub dependencies_cleared_at: DateTime<Utc>,
    /// Since when no backup is kept that holds a key of the subject.
    pub backups_expired_at: DateTime<Utc>,
}
