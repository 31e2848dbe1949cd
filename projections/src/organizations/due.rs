//! When something of an organization is due.

use crate::engine::due::{Apart, Due, Moment};
use chrono::TimeDelta;
use palmares_domain::{
    kernel::OrganizationId,
    organizations::{
        organization::{OrganizationEvent, SetupStep},
        provisioning::ProvisioningEvent,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// So long nothing may happen in a set-up.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// How far the set-up was when its timer was set: one that went on meanwhile is not given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLeft {
    pub organization_id: OrganizationId,
    /// The last step that was done.
    pub last_step: Option<SetupStep>,
}

/// When a set-up was left lying, which every step of it puts off (E-126); its timers say a [`SetupLeft`].
pub const SETUPS: Due<OrganizationEvent> = Due {
    name: "organizations_setup_due",
    kind: "organizations.setup_left",
    events: &[
        "organizations.setup_begun",
        "organizations.setup_step_completed",
        "organizations.setup_expired",
        "organizations.organization_activated",
        "organizations.organization_suspended",
    ],
    apart: Apart::ByNothing,
    moments: |event, happened| {
        let organization_id = event.organization_id;
        let last_step = match happened {
            OrganizationEvent::SetupBegun(_) => None,
            OrganizationEvent::SetupStepCompleted(done) => Some(done.step),
            _ => return vec![Moment::none(organization_id.0)],
        };
        let due_at = event.recorded_at.checked_add_signed(PATIENCE).unwrap_or(event.recorded_at);
        vec![Moment::of(organization_id.0, due_at).saying(json!(SetupLeft { organization_id, last_step }))]
    },
};

/// When a step of provisioning that failed is tried again.
pub const PROVISIONING: Due<ProvisioningEvent> = Due {
    name: "organizations_provisioning_due",
    kind: "organizations.provisioning_retry",
    events: &["organizations.provisioning_step_failed", "organizations.provisioning_step_completed", "organizations.provisioning_retried"],
    apart: Apart::ByNothing,
    moments: |event, happened| {
        let organization = event.organization_id.0;
        let retry_at = match happened {
            ProvisioningEvent::ProvisioningStepFailed(failed) => failed.retry_at,
            _ => None,
        };
        vec![retry_at.map_or(Moment::none(organization), |due_at| Moment::of(organization, due_at))]
    },
};
