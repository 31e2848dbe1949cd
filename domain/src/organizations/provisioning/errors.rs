//! Why something is refused of the provisioning of an organization.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisioningError {
    #[error("the organization is not provisioned")]
    NotFound,
    #[error("the provisioning has begun already")]
    BegunAlready,
    #[error("this step is not to be done now")]
    NotThisStep,
    #[error("this attempt was recorded already")]
    AttemptStale,
    #[error("the provisioning was not given up")]
    NotGivenUp,
}

impl Refusal for ProvisioningError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            _ => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "organizations.provisioning_not_found",
            Self::BegunAlready => "organizations.provisioning_begun_already",
            Self::NotThisStep => "organizations.provisioning_not_this_step",
            Self::AttemptStale => "organizations.provisioning_attempt_stale",
            Self::NotGivenUp => "organizations.provisioning_not_given_up",
        }
    }
}
