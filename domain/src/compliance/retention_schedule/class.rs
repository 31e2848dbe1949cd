//! What is kept, on which ground, and how long at least.

use crate::kernel::Purpose;
use serde::{Deserialize, Serialize};

/// A class of records, or a stretch of time in a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordClass {
    /// What names a person.
    Profile,
    /// Passwords, second factors, sessions, addresses of requests.
    Security,
    Wellness,
    /// What explains points and rewards (tax law).
    Billing,
    Employment,
    /// Who did what and when, under random ids: the log itself.
    Audit,
    /// Backups of the database, which hold wrapped keys.
    Backup,
    /// From approval to soft deletion.
    DeletionGrace,
    /// From soft deletion to the destruction of keys.
    DeletionRecovery,
}

impl RecordClass {
    pub const ALL: [RecordClass; 9] = [
        RecordClass::Profile,
        RecordClass::Security,
        RecordClass::Wellness,
        RecordClass::Billing,
        RecordClass::Employment,
        RecordClass::Audit,
        RecordClass::Backup,
        RecordClass::DeletionGrace,
        RecordClass::DeletionRecovery,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            RecordClass::Profile => "PROFILE",
            RecordClass::Security => "SECURITY",
            RecordClass::Wellness => "WELLNESS",
            RecordClass::Billing => "BILLING",
            RecordClass::Employment => "EMPLOYMENT",
            RecordClass::Audit => "AUDIT",
            RecordClass::Backup => "BACKUP",
            RecordClass::DeletionGrace => "DELETION_GRACE",
            RecordClass::DeletionRecovery => "DELETION_RECOVERY",
        }
    }

    /// The class of what is kept for a purpose.
    pub fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Profile => RecordClass::Profile,
            Purpose::Security => RecordClass::Security,
            Purpose::Health => RecordClass::Wellness,
            Purpose::Reward => RecordClass::Billing,
            Purpose::Hr => RecordClass::Employment,
            // Like the log, it accounts for what was done.
            Purpose::Case => RecordClass::Audit,
        }
    }

    /// Days, where an organization says nothing else.
    pub fn default_days(self) -> u32 {
        match self {
            RecordClass::Profile | RecordClass::Security | RecordClass::Wellness => 0,
            RecordClass::Billing | RecordClass::Employment => 3653,
            RecordClass::Audit => self.bounds().0,
            RecordClass::Backup => 35,
            RecordClass::DeletionGrace | RecordClass::DeletionRecovery => 30,
        }
    }

    /// The fewest and the most days that an organization may set.
    pub fn bounds(self) -> (u32, u32) {
        match self {
            RecordClass::Profile | RecordClass::Security => (0, 365),
            RecordClass::Wellness => (0, 3653),
            RecordClass::Billing | RecordClass::Employment => (1827, 10958),
            // Seven years with two leap days (A21).
            RecordClass::Audit => (2557, 36525),
            RecordClass::Backup => (0, 90),
            // E-167
            RecordClass::DeletionGrace | RecordClass::DeletionRecovery => (30, 90),
        }
    }

    /// On which ground it is kept.
    pub fn ground(self) -> &'static str {
        match self {
            RecordClass::Profile | RecordClass::Security | RecordClass::Wellness => "consent_or_contract",
            RecordClass::Billing => "tax_law",
            RecordClass::Employment => "employment_law",
            RecordClass::Audit => "legal_obligation_to_account",
            RecordClass::Backup => "security_of_processing",
            RecordClass::DeletionGrace | RecordClass::DeletionRecovery => "protection_from_accidental_destruction",
        }
    }
}
