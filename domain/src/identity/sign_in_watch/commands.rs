//! What may be asked of the watch over a user's sign-ins.

use crate::{
    kernel::{Digest, LetterId, SessionId, UserId},
    organizations::organization::SuspiciousSignIn,
};
use std::fmt;

/// Something asked of the watch over `user_id`, who may never have signed in.
#[derive(Clone, Debug)]
pub struct SignInWatchCommand {
    pub user_id: UserId,
    pub action: WatchAction,
}

#[derive(Clone, Debug)]
pub enum WatchAction {
    /// Somebody proved who they are, or goes on with a session.
    Observe(Sighting),
    /// Somebody did not prove that they are this user.
    RecordFailure { network: Digest },
    /// The user says that what a letter told of was not them.
    Disown { letter_id: LetterId },
}

/// What a sighting was shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A password, or a provider's word.
    Weak,
    /// A second factor, or what only the user's mailbox gets.
    Strong,
    /// The secret of a session that there is.
    Refresh,
}

/// A session as it is seen in use. The digests are keyed hashes, good for this user only.
#[derive(Clone)]
pub struct Sighting {
    pub session_id: SessionId,
    pub means: Means,
    pub network: Digest,
    /// Of the program.
    pub agent: Digest,
    /// Of the device, where the client told its id; else the program stands for it.
    pub device: Option<Digest>,
    /// What the user is told, for them to know the place by.
    pub address: String,
    pub device_name: Option<String>,
    /// What the organization chose.
    pub choice: SuspiciousSignIn,
}

impl Sighting {
    pub(super) fn recognized_by(&self) -> Digest {
        self.device.unwrap_or(self.agent)
    }
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sighting").field("session_id", &self.session_id).field("means", &self.means).finish_non_exhaustive()
    }
}
