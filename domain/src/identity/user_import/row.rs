//! One row of an import: what it says, what is wrong with it, and what became of it.

use crate::{
    identity::RoleRef,
    kernel::text::{is_email, is_label},
};
use serde::{Deserialize, Serialize};

const EMAIL_MAX_BYTES: usize = 254;
const NAME_MAX_CHARS: usize = 200;

/// The columns of a table of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    Email,
    DisplayName,
    Role,
    /// The row as a whole.
    Row,
}

impl Column {
    /// The name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Column::Email => "email",
            Column::DisplayName => "display_name",
            Column::Role => "role",
            Column::Row => "row",
        }
    }

    /// The column of a name in the header.
    pub fn parse(name: &str) -> Option<Self> {
        [Column::Email, Column::DisplayName, Column::Role].into_iter().find(|column| column.name() == name)
    }
}

/// Why a row is not accepted, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    /// It has more or fewer cells than the header.
    CellCount,
    /// A spreadsheet would run it.
    Formula,
    TooLong,
    EmailInvalid,
    /// The organization takes addresses of other domains only.
    EmailDomain,
    /// An earlier row has the same address.
    EmailRepeated,
    DisplayNameInvalid,
    RoleUnknown,
    PlatformRole,
    /// Its role reaches further than the rights of whoever imports (E-46).
    RoleBeyondRights,
    /// Somebody came to have the address since it was looked at.
    EmailTaken,
    /// The person was erased.
    Erased,
    /// The invitation was refused for another reason.
    Refused,
}

impl RowFault {
    /// The stable reason, the key of its translated text.
    pub fn reason(self) -> &'static str {
        match self {
            Self::CellCount => "identity.import_cell_count",
            Self::Formula => "identity.import_formula",
            Self::TooLong => "identity.import_cell_too_long",
            Self::EmailInvalid => "identity.email_invalid",
            Self::EmailDomain => "identity.email_domain_not_allowed",
            Self::EmailRepeated => "identity.import_email_repeated",
            Self::DisplayNameInvalid => "identity.display_name_invalid",
            Self::RoleUnknown => "identity.role_not_found",
            Self::PlatformRole => "identity.platform_role_elsewhere",
            Self::RoleBeyondRights => "identity.permission_escalation_attempt",
            Self::EmailTaken => "identity.email_taken",
            Self::Erased => "identity.email_erased",
            Self::Refused => "identity.import_row_refused",
        }
    }

    /// The fault that a refusal of the invitation is.
    pub fn of_refusal(reason: &str) -> Self {
        [
            Self::EmailTaken,
            Self::EmailInvalid,
            Self::EmailDomain,
            Self::DisplayNameInvalid,
            Self::RoleUnknown,
            Self::PlatformRole,
            Self::Erased,
        ]
        .into_iter()
        .find(|fault| fault.reason() == reason)
        .unwrap_or(Self::Refused)
    }
}

/// What is wrong with one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowError {
    pub column: Column,
    pub fault: RowFault,
}

impl RowError {
    pub fn new(column: Column, fault: RowFault) -> Self {
        Self { column, fault }
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RowStatus {
    /// It has faults, and is left out.
    Rejected,
    /// A user of the organization has the address already: it is left out.
    Existing,
    /// It is to be run.
    Ready,
    /// The person was invited.
    Invited,
    /// Running it failed; it may be run again.
    Failed,
    /// The invitation was revoked when the import was rolled back.
    Revoked,
    /// The import was rolled back, and the invitation stayed as it was: somebody had acted on it.
    Kept,
}

impl RowStatus {
    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            RowStatus::Rejected => "REJECTED",
            RowStatus::Existing => "EXISTING",
            RowStatus::Ready => "READY",
            RowStatus::Invited => "INVITED",
            RowStatus::Failed => "FAILED",
            RowStatus::Revoked => "REVOKED",
            RowStatus::Kept => "KEPT",
        }
    }
}

/// The cells of a row, as a table has them, without the space around them.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    pub email: &'a str,
    /// Empty where there is none.
    pub display_name: &'a str,
    pub role: &'a str,
}

/// What a row says, where nothing is wrong with it.
pub struct Values {
    pub email: String,
    pub display_name: Option<String>,
    pub role: RoleRef,
}

impl Cells<'_> {
    /// # Errors
    /// Everything that is wrong with the cells by themselves.
    pub fn read(&self) -> Result<Values, Vec<RowError>> {
        let faults = [
            self.email_fault().map(|fault| RowError::new(Column::Email, fault)),
            self.display_name_fault().map(|fault| RowError::new(Column::DisplayName, fault)),
        ];
        let mut errors: Vec<RowError> = faults.into_iter().flatten().collect();
        match self.role() {
            Ok(role) if errors.is_empty() => {
                let display_name = Some(self.display_name.to_owned()).filter(|name| !name.is_empty());
                return Ok(Values { email: self.email.to_owned(), display_name, role });
            }
            Ok(_) => {}
            Err(fault) => errors.push(RowError::new(Column::Role, fault)),
        }
        Err(errors)
    }

    fn email_fault(&self) -> Option<RowFault> {
        match self.email {
            email if is_formula(email) => Some(RowFault::Formula),
            email if email.len() > EMAIL_MAX_BYTES => Some(RowFault::TooLong),
            email => (!is_email(email)).then_some(RowFault::EmailInvalid),
        }
    }

    fn display_name_fault(&self) -> Option<RowFault> {
        match self.display_name {
            "" => None,
            name if is_formula(name) => Some(RowFault::Formula),
            name if name.chars().count() > NAME_MAX_CHARS => Some(RowFault::TooLong),
            name => (!is_label(name, NAME_MAX_CHARS)).then_some(RowFault::DisplayNameInvalid),
        }
    }

    fn role(&self) -> Result<RoleRef, RowFault> {
        if is_formula(self.role) {
            return Err(RowFault::Formula);
        }
        self.role.parse().map_err(|_| RowFault::RoleUnknown)
    }
}

/// Whether a spreadsheet that opens the text would take it for a formula. It would come back out in
/// exports, so it is refused on the way in.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}
