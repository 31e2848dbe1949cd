//! Who the compliance officers of an organization are.

use crate::engine::{ReadError, Readers};
use palmares_domain::kernel::{Tenant, UserId};
use uuid::Uuid;

pub(super) const OFFICERS_BESIDES: &str = "
    SELECT user_id FROM identity_users
    WHERE organization_id = $1 AND user_id <> $2 AND status = 'ACTIVE' AND 'compliance_officer' = ANY(roles)
    ORDER BY created_position LIMIT $3";

/// One is enough; some more, because one may just have stopped being one.
const ENOUGH: i64 = 5;

/// Some of the compliance officers who may act, beside a user.
pub async fn officers_besides(readers: &Readers, tenant: Tenant, user: UserId) -> Result<Vec<UserId>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_scalar(OFFICERS_BESIDES).bind(tenant.organization().0).bind(user.0).bind(ENOUGH);
    let others: Vec<Uuid> = query.fetch_all(reader.connection()).await?;
    Ok(others.into_iter().map(UserId).collect())
}
