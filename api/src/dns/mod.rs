//! What the house asks of the DNS, and who answers it.

mod hickory;

pub use hickory::HickoryDns;

use async_trait::async_trait;

/// Why the DNS gave no answer. That nothing is there is an answer.
#[derive(Debug, thiserror::Error)]
#[error("the DNS gave no answer for {name}: {cause}")]
pub struct DnsFault {
    pub name: String,
    pub cause: String,
}

/// Looks names up.
#[async_trait]
pub trait DnsResolver: Send + Sync + 'static {
    /// The TXT records of a name, the strings of each joined; none where the name has none.
    ///
    /// # Errors
    /// When no server answers, or one says that it cannot.
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFault>;
}
