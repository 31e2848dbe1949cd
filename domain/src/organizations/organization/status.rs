//! Where an organization stands, and which way leads from there (B.2).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganizationStatus {
    /// Made, and not everything that an organization needs is there yet (E-123).
    PendingSetup,
    Active,
    /// An invoice is overdue; people go on.
    PaymentDue,
    Suspended,
    /// The set-up was never completed; the slug is free again.
    Expired,
    OrgPendingDeletion,
    Purged,
}

impl OrganizationStatus {
    pub const ALL: [OrganizationStatus; 7] = [
        OrganizationStatus::PendingSetup,
        OrganizationStatus::Active,
        OrganizationStatus::PaymentDue,
        OrganizationStatus::Suspended,
        OrganizationStatus::Expired,
        OrganizationStatus::OrgPendingDeletion,
        OrganizationStatus::Purged,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            OrganizationStatus::PendingSetup => "PENDING_SETUP",
            OrganizationStatus::Active => "ACTIVE",
            OrganizationStatus::PaymentDue => "PAYMENT_DUE",
            OrganizationStatus::Suspended => "SUSPENDED",
            OrganizationStatus::Expired => "EXPIRED",
            OrganizationStatus::OrgPendingDeletion => "ORG_PENDING_DELETION",
            OrganizationStatus::Purged => "PURGED",
        }
    }

    /// Whether it is gone for good.
    pub fn is_end(self) -> bool {
        matches!(self, OrganizationStatus::Expired | OrganizationStatus::Purged)
    }

    /// Whether its people may act: its first administrator completes the set-up.
    pub fn lets_people_act(self) -> bool {
        matches!(self, OrganizationStatus::PendingSetup | OrganizationStatus::Active | OrganizationStatus::PaymentDue)
    }
}

/// What an organization needs before it is active (E-123), in the order of its checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// The primary administrator is invited.
    AdministratorInvited,
    /// A domain is verified, or expressly done without.
    DomainConfigured,
    SubscriptionConfigured,
}

impl SetupStep {
    pub const ALL: [SetupStep; 3] = [SetupStep::AdministratorInvited, SetupStep::DomainConfigured, SetupStep::SubscriptionConfigured];

    /// The name in events, addresses and answers.
    pub fn name(self) -> &'static str {
        match self {
            SetupStep::AdministratorInvited => "administrator_invited",
            SetupStep::DomainConfigured => "domain_configured",
            SetupStep::SubscriptionConfigured => "subscription_configured",
        }
    }

    /// Whether someone may say that it is done. That an administrator is invited can be seen.
    pub fn is_taken_at_word(self) -> bool {
        self != SetupStep::AdministratorInvited
    }
}

transitions! { OrganizationStatus {
    /// E-123: every step of the set-up is done.
    ACTIVATE: PendingSetup => Active;
    /// E-126: the set-up was left lying.
    EXPIRE: PendingSetup => Expired;
    MARK_PAYMENT_DUE: Active => PaymentDue;
    MARK_PAID: PaymentDue => Active;
    /// E-25; also an incomplete set-up (E-126) and the end of dunning.
    SUSPEND: PendingSetup | Active | PaymentDue => Suspended;
    RESUME: Suspended => Active;
    /// 7D
    REQUEST_DELETION: Active | PaymentDue | Suspended => OrgPendingDeletion;
    PURGE: OrgPendingDeletion => Purged;
} }
