//! What the reactor that sends letters asks to record.

use crate::{
    kernel::{EventId, LetterId, UserId, derive_uuid},
    organizations::Locale,
};
use serde::{Deserialize, Serialize};

impl LetterId {
    /// The letter that an event asks for: always the same one.
    pub fn asked_by(event: EventId) -> Self {
        Self(derive_uuid("letter", &[event.0.as_bytes()]))
    }

    /// The letter that an event asks for to one of several people: always the same one for each.
    pub fn asked_by_to(event: EventId, recipient: UserId) -> Self {
        Self(derive_uuid("letter", &[event.0.as_bytes(), recipient.0.as_bytes()]))
    }
}

/// What a letter is about; each kind has its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    Invitation,
    MagicLink,
    PasswordReset,
    EmailCode,
    EmailVerification,
    /// The link that goes on with a sign-up.
    Signup,
    /// Whoever asked to sign up has an account already.
    AccountReminder,
    /// The code that goes on with a sign-up.
    SignupCode,
    /// A code to the telephone that a user signs in with, or is to.
    PhoneCode,
    SignupApproved,
    SignupRefused,
    PasswordChanged,
    NewSignIn,
    SuspiciousSignIn,
    SecondFactorDisabled,
    RecoveryCodesRenewed,
    PhoneEnrolled,
    PhoneRemoved,
    ExternalIdentityLinked,
    /// Somebody else asked that the recipient's account be deleted.
    DeletionAsked,
    /// Somebody else undid the deletion of the recipient's account.
    DeletionUndone,
    /// Somebody else took back the deletion that the recipient asked for.
    DeletionCancelled,
    /// The deletion that the recipient asked for was refused.
    DeletionRefused,
    /// Something in the audit log looks wrong.
    AnomalyRaised,
    /// A stream of the audit log stopped.
    SiemStreamFailed,
    /// What a schedule took out of the audit log can be fetched.
    AuditExportReady,
    /// What a schedule was to take out of the audit log is more than one file takes.
    AuditExportFailed,
    /// What the recipient asked for by law arrived.
    RequestReceived,
    /// It takes longer.
    RequestExtended,
    /// It was done.
    RequestFulfilled,
    /// It was refused.
    RequestRefused,
    /// Nobody answered what somebody asked for in time.
    RequestOverdue,
    /// Nobody told the authority of a breach in time.
    BreachOverdue,
    /// A review of who may act was not done in time.
    ReviewOverdue,
}

impl LetterKind {
    pub const ALL: [LetterKind; 34] = [
        LetterKind::Invitation,
        LetterKind::MagicLink,
        LetterKind::PasswordReset,
        LetterKind::EmailCode,
        LetterKind::EmailVerification,
        LetterKind::Signup,
        LetterKind::AccountReminder,
        LetterKind::SignupCode,
        LetterKind::PhoneCode,
        LetterKind::SignupApproved,
        LetterKind::SignupRefused,
        LetterKind::PasswordChanged,
        LetterKind::NewSignIn,
        LetterKind::SuspiciousSignIn,
        LetterKind::SecondFactorDisabled,
        LetterKind::RecoveryCodesRenewed,
        LetterKind::PhoneEnrolled,
        LetterKind::PhoneRemoved,
        LetterKind::ExternalIdentityLinked,
        LetterKind::DeletionAsked,
        LetterKind::DeletionUndone,
        LetterKind::DeletionCancelled,
        LetterKind::DeletionRefused,
        LetterKind::AnomalyRaised,
        LetterKind::SiemStreamFailed,
        LetterKind::AuditExportReady,
        LetterKind::AuditExportFailed,
        LetterKind::RequestReceived,
        LetterKind::RequestExtended,
        LetterKind::RequestFulfilled,
        LetterKind::RequestRefused,
        LetterKind::RequestOverdue,
        LetterKind::BreachOverdue,
        LetterKind::ReviewOverdue,
    ];

    /// Whether it tells of something that happened, rather than bringing something to use.
    pub fn is_notice(self) -> bool {
        matches!(
            self,
            LetterKind::PasswordChanged
                | LetterKind::NewSignIn
                | LetterKind::SuspiciousSignIn
                | LetterKind::SecondFactorDisabled
                | LetterKind::RecoveryCodesRenewed
                | LetterKind::PhoneEnrolled
                | LetterKind::PhoneRemoved
                | LetterKind::ExternalIdentityLinked
        )
    }

    /// Whether it goes to those who watch over the audit log.
    pub fn is_alarm(self) -> bool {
        matches!(
            self,
            LetterKind::AnomalyRaised | LetterKind::SiemStreamFailed | LetterKind::AuditExportReady | LetterKind::AuditExportFailed
        )
    }

    /// By which way it goes.
    pub fn channel(self) -> Channel {
        match self {
            LetterKind::SignupCode | LetterKind::PhoneCode => Channel::Sms,
            _ => Channel::Mail,
        }
    }

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            LetterKind::Invitation => "invitation",
            LetterKind::MagicLink => "magic_link",
            LetterKind::PasswordReset => "password_reset",
            LetterKind::EmailCode => "email_code",
            LetterKind::EmailVerification => "email_verification",
            LetterKind::Signup => "signup",
            LetterKind::AccountReminder => "account_reminder",
            LetterKind::SignupCode => "signup_code",
            LetterKind::PhoneCode => "phone_code",
            LetterKind::SignupApproved => "signup_approved",
            LetterKind::SignupRefused => "signup_refused",
            LetterKind::PasswordChanged => "password_changed",
            LetterKind::NewSignIn => "new_sign_in",
            LetterKind::SuspiciousSignIn => "suspicious_sign_in",
            LetterKind::SecondFactorDisabled => "second_factor_disabled",
            LetterKind::RecoveryCodesRenewed => "recovery_codes_renewed",
            LetterKind::PhoneEnrolled => "phone_enrolled",
            LetterKind::PhoneRemoved => "phone_removed",
            LetterKind::ExternalIdentityLinked => "external_identity_linked",
            LetterKind::DeletionAsked => "deletion_asked",
            LetterKind::DeletionUndone => "deletion_undone",
            LetterKind::DeletionCancelled => "deletion_cancelled",
            LetterKind::DeletionRefused => "deletion_refused",
            LetterKind::AnomalyRaised => "anomaly_raised",
            LetterKind::SiemStreamFailed => "siem_stream_failed",
            LetterKind::AuditExportReady => "audit_export_ready",
            LetterKind::AuditExportFailed => "audit_export_failed",
            LetterKind::RequestReceived => "request_received",
            LetterKind::RequestExtended => "request_extended",
            LetterKind::RequestFulfilled => "request_fulfilled",
            LetterKind::RequestRefused => "request_refused",
            LetterKind::RequestOverdue => "request_overdue",
            LetterKind::BreachOverdue => "breach_overdue",
            LetterKind::ReviewOverdue => "review_overdue",
        }
    }
}

/// The ways by which people are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Mail,
    /// A text message to a telephone.
    Sms,
}

/// Why nobody will get a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndeliverableReason {
    /// What was given as an address is none.
    AddressInvalid,
    /// The mail server put it off again and again (a reply of 4xx).
    Deferred,
    /// The mail server refused it for good (RFC 5321, 4.2.1: a reply of 5xx).
    Refused,
    /// The deployment has nothing to send it by any more.
    NoChannel,
}

/// What stands on the outside of a letter, the address left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub letter_id: LetterId,
    pub recipient_id: UserId,
    pub kind: LetterKind,
    pub language: Locale,
}

#[derive(Clone, Debug)]
pub enum LetterCommand {
    Sent(RecordSent),
    Undeliverable(RecordUndeliverable),
}

impl LetterCommand {
    pub fn envelope(&self) -> &Envelope {
        match self {
            LetterCommand::Sent(command) => &command.envelope,
            LetterCommand::Undeliverable(command) => &command.envelope,
        }
    }
}

/// Records that a mail server took a letter.
#[derive(Clone, Copy, Debug)]
pub struct RecordSent {
    pub envelope: Envelope,
}

/// Records that a letter cannot be delivered.
#[derive(Clone, Copy, Debug)]
pub struct RecordUndeliverable {
    pub envelope: Envelope,
    pub reason: UndeliverableReason,
}
