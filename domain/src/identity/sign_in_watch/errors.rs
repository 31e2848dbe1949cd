//! Why something is refused of the watch over a user's sign-ins.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInWatchError {
    #[error("what this letter tells of was disowned before")]
    DisownedAlready,
}

impl Refusal for SignInWatchError {
    fn code(&self) -> Code {
        Code::Conflict
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::DisownedAlready => "identity.disowned_already",
        }
    }
}
