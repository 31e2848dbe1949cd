//! Elevations at the gate: a request that names one uses what it gives, and everything it does says so.
//!
//! A role adds to what the caller has at home. Acting as another user takes away: a request is
//! permitted where the policies permit it to both, each asked with their own rights (E-33). An
//! elevation that gives nothing is refused and never overlooked, or a request would do something else
//! than its sender meant.

use super::{
    call::Call,
    decision::{Circumstances, Question, Through, Verdict},
    gate::{Caller, Gate},
    ports::Elevated,
};
use crate::problem::Problem;
use palmares_domain::{
    identity::Rights,
    kernel::{Code, ElevationId, OrganizationId, UserId},
};

/// The header by which a request names the elevation that it uses.
pub const ELEVATION_HEADER: &str = "Palmares-Elevation";

const NOT_ACTIVE: &str = "gate.elevation_not_active";

/// Another user, as whom a caller acts.
#[derive(Clone)]
pub struct ActedAs {
    pub user: UserId,
    /// What that user's roles grant now.
    pub rights: Rights,
}

/// The elevation that the request names.
pub(super) fn named_elevation(call: &Call<'_>) -> Result<Option<ElevationId>, Problem> {
    let named = call.request.headers().get(ELEVATION_HEADER).map(|value| {
        let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        id.ok_or_else(|| Problem::invalid_field(ELEVATION_HEADER, "uuid"))
    });
    named.transpose()
}

impl Caller {
    /// The user as whom the caller acts, where that is another one.
    pub fn on_behalf_of(&self) -> Option<UserId> {
        self.acted_as.as_ref().map(|other| other.user)
    }

    /// Whose own things are one's own in this request.
    pub(super) fn principal(&self) -> UserId {
        self.on_behalf_of().unwrap_or(self.user)
    }

    /// What the roles grant, of both where the caller acts as another.
    pub fn usable_rights(&self) -> Rights {
        match &self.acted_as {
            None => self.rights.clone(),
            Some(other) => self.rights.lesser_of(&other.rights),
        }
    }
}

impl Gate {
    /// Adds the role that an elevation of the caller's own organization gives. It comes before the
    /// organization is fixed, because a platform role opens others.
    pub(super) async fn add_role(&self, caller: &mut Caller, elevation: ElevationId) -> Result<(), Problem> {
        let found = self.standings.elevation(caller.home, elevation, caller.user).await.map_err(Problem::unavailable)?;
        if let Some(Elevated::Role(role)) = found {
            caller.check_may_borrow(&role)?;
            caller.rights = std::mem::take(&mut caller.rights).with(role);
            caller.elevation = Some(elevation);
        }
        Ok(())
    }

    /// Has the caller act as another user of the organization, where the elevation gave no role.
    pub(super) async fn act_as(&self, caller: &mut Caller, elevation: ElevationId, organization: OrganizationId) -> Result<(), Problem> {
        if caller.elevation.is_some() {
            return Ok(());
        }
        let found = self.standings.elevation(organization, elevation, caller.user).await.map_err(Problem::unavailable)?;
        let Some(Elevated::ActingAs(user, rights)) = found else {
            return Err(Problem::new(Code::AccessDenied, NOT_ACTIVE));
        };
        caller.acted_as = Some(ActedAs { user, rights });
        caller.elevation = Some(elevation);
        Ok(())
    }

    /// Asks the policies about these rights of the caller's; about both, where the caller acts as another.
    pub(super) fn ask_with(
        &self,
        caller: &Caller,
        rights: &Rights,
        permission: &'static str,
        organization: OrganizationId,
        owner: Option<UserId>,
        circumstances: Circumstances<'_>,
    ) -> Verdict {
        let through = match (&caller.acted_as, caller.elevation) {
            _ if caller.program => Through::Program,
            _ if caller.leaving => Through::Leaving,
            (Some(_), _) => Through::Impersonation,
            (None, Some(_)) => Through::Elevation,
            (None, None) => Through::OwnRights,
        };
        let circumstances = Circumstances { through, ..circumstances };
        let Caller { user, home, .. } = caller;
        let own = self.decide(&Question { principal: *user, home: *home, rights, permission, organization, owner, circumstances });
        match &caller.acted_as {
            None => own,
            Some(ActedAs { user, rights }) => {
                let home = organization;
                own.and(self.decide(&Question { principal: *user, home, rights, permission, organization, owner, circumstances }))
            }
        }
    }
}
