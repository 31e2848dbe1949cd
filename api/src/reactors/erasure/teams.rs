//! Whoever is erased leaves their teams first, while it is known which ones those are.

use super::{PATIENCE, SYSTEM, Tools, transient};
use crate::reactors::{execute, failed, tenant_of};
use palmares_commands::recognition::ForgetMember;
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    kernel::{CommandId, RecordedEvent, derive_uuid},
};
use palmares_projections::{
    engine::ReactError,
    recognition::teams::{PROJECTION, teams_of},
};

impl Tools {
    /// Takes whoever is to be erased out of every team, the ones that they alone own included: those wait for an
    /// administrator, and hold up nothing. Nobody joins a team after that, since only the active do. An
    /// organization goes with everybody in it, and its teams stay as they are.
    pub(super) async fn leave_teams(&self, event: &RecordedEvent, subject: DeletionSubject) -> Result<(), ReactError> {
        let Some(user_id) = subject.user() else { return Ok(()) };
        // It is told of erasures like all that forget; where no projector runs there is nothing to wait for.
        let known_by: Vec<_> = self.forgetting.iter().copied().filter(|name| *name == PROJECTION).collect();
        let wait = self.watermarks.wait_for(&known_by, event.position, PATIENCE);
        wait.await.map_err(|error| transient(error.into()))?;
        let read = async {
            let mut reader = self.readers.open(tenant_of(event), None).await?;
            teams_of(&mut reader, user_id).await
        };
        for team_id in read.await.map_err(|error| transient(error.into()))? {
            // Named after the team, not after its place in a list that is shorter each time this is tried.
            let command = CommandId(derive_uuid("leave-team", &[event.id.0.as_bytes(), team_id.0.as_bytes()]));
            let forget = ForgetMember { team_id, user_id };
            execute(&self.engine, SYSTEM.following(event, command), forget).await.map_err(failed)?;
        }
        Ok(())
    }
}
