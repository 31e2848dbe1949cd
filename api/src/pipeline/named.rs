//! Which organization a request names.

use super::call::Call;
use crate::problem::Problem;
use palmares_domain::kernel::{Code, OrganizationId};

/// The header by which a platform admin names another organization.
const ORGANIZATION_HEADER: &str = "Palmares-Organization";

/// The path parameter that names an organization.
pub(super) const ORGANIZATION_PARAM: &str = "organization_id";

/// The organization that a known caller reached for, where that is not their own.
pub(super) fn attempted_organization(call: &Call<'_>) -> Option<OrganizationId> {
    let home = call.caller.as_ref()?.home;
    let in_header = call.header(ORGANIZATION_HEADER).into_iter().map(str::trim);
    let in_path = call.params.iter().filter(|(name, _)| *name == ORGANIZATION_PARAM).map(|(_, text)| text.as_str());
    in_header.chain(in_path).filter_map(|text| text.parse().ok()).find(|named| *named != home)
}

/// The organization that the request names, in its path or by header. Naming two is naming none of one's own.
pub(super) fn named_organization(call: &Call<'_>) -> Result<Option<OrganizationId>, Problem> {
    let in_path = call.params.iter().find(|(name, _)| *name == ORGANIZATION_PARAM);
    let in_path = in_path.map(|(_, text)| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let in_header = call.request.headers().get(ORGANIZATION_HEADER).map(|value| {
        let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        id.ok_or_else(|| Problem::invalid_field(ORGANIZATION_HEADER, "uuid"))
    });
    match (in_path, in_header.transpose()?) {
        (Some(path), Some(header)) if path != header => Err(Problem::new(Code::TenantMismatch, "gate.tenant_mismatch")),
        (path, header) => Ok(path.or(header)),
    }
}
