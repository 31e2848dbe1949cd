//! Where the address stands to which a notice goes, and whose it is.

use async_trait::async_trait;
use palmares_domain::kernel::{Tenant, UserId};
use palmares_projections::{
    compliance::anomalies::watching,
    engine::{ReactError, Readers},
    identity::directory::address_of,
};

/// Knows the addresses of users.
#[async_trait]
pub trait AddressBook: Send + Sync + 'static {
    /// The address that a user has now; none where there is none, and once the person was erased.
    async fn address_of(&self, tenant: Tenant, user: UserId) -> Result<Option<String>, ReactError>;

    /// Those who look after compliance, but for whom it is about.
    async fn officers(&self, tenant: Tenant, about: Option<UserId>) -> Result<Vec<UserId>, ReactError>;
}

#[async_trait]
impl AddressBook for Readers {
    async fn address_of(&self, tenant: Tenant, user: UserId) -> Result<Option<String>, ReactError> {
        let transient = |error: anyhow::Error| ReactError::Transient(error);
        let mut reader = self.open(tenant, None).await.map_err(|error| transient(error.into()))?;
        address_of(&mut reader, user).await.map_err(|error| transient(error.into()))
    }

    async fn officers(&self, tenant: Tenant, about: Option<UserId>) -> Result<Vec<UserId>, ReactError> {
        let transient = |error: anyhow::Error| ReactError::Transient(error);
        let mut reader = self.open(tenant, None).await.map_err(|error| transient(error.into()))?;
        watching(&mut reader, about).await.map_err(|error| transient(error.into()))
    }
}
