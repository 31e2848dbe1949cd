//! Whether a user is there: what has no points yet is not the same as what does not exist.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    identity::user::User,
    kernel::{Aggregate, UserId},
};

/// The stream of the user, so that the answer does not wait for a read model of another context.
const USER_EXISTS: &str = "SELECT EXISTS (SELECT FROM streams WHERE organization_id = $1 AND type = $2 AND id = $3)";

pub(super) const STATEMENTS: &[(&str, &str)] = &[("points.members.user_exists", USER_EXISTS)];

/// Refuses a user who is not there, or who is another tenant's: both look the same.
pub(super) async fn require_user(reader: &mut TenantReader<'_>, user: UserId) -> Result<(), ReadError> {
    let organization = reader.organization();
    let exists: bool =
        sqlx::query_scalar(USER_EXISTS).bind(organization.0).bind(User::TYPE).bind(user.0).fetch_one(reader.connection()).await?;
    if exists { Ok(()) } else { Err(ReadError::NotFound) }
}
