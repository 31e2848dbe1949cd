//! The platform's own organization and its first administrator.

use super::{internal::admit, write_side::WriteSide};
use crate::cli::ServerSettings;
use anyhow::Context;
use palmares_commands::{
    engine::{Answer, Operation, Refused, StreamRef, Unit},
    organizations::slug_claim,
};
use palmares_domain::{
    identity::{
        EXTERNAL_REF_LOOKUP, Rights, Role,
        user::{CreateUser, User, UserCommand},
    },
    kernel::{Admission, OrganizationId, UserId, derive_uuid},
    organizations::{
        Locale,
        organization::{CreateOrganization, Organization, OrganizationCommand},
    },
};
use serde_json::Value;
use uuid::Uuid;

const PERMISSION: &str = "organizations.platform.bootstrap";
const NAME: &str = "Palmares";
const SLUG: &str = "palmares-platform";
/// The field of the answer.
const USER_ID: &str = "user_id";

pub(super) async fn bootstrap(settings: &ServerSettings, external_ref: &str) -> anyhow::Result<UserId> {
    let WriteSide { engine, ring, .. } = WriteSide::open(settings).await?;
    // Derived from a keyed hash: the same for the same reference, and it tells nothing about it.
    let hash = ring.lookup_hash(OrganizationId::PLATFORM, EXTERNAL_REF_LOOKUP, external_ref).await?;
    let user = UserId(derive_uuid("platform-administrator", &[&hash]));
    // No policies: none was asked. Whoever holds the keys and the database founds the platform.
    let admission = Admission {
        rights: Rights::built_in([Role::PlatformAdmin]),
        ..Admission::of(OrganizationId::PLATFORM, user, PERMISSION, Uuid::now_v7())
    };
    let receipt = engine.execute(admit(admission, FoundPlatform { user, external_ref: external_ref.to_owned() })).await?;
    let user = receipt.answer.0.get(USER_ID).and_then(Value::as_str).and_then(|id| id.parse().ok());
    user.context("the platform was made without an administrator")
}

/// Makes what is missing of both.
struct FoundPlatform {
    user: UserId,
    external_ref: String,
}

impl Operation for FoundPlatform {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![
            StreamRef::of::<Organization>(OrganizationId::PLATFORM, OrganizationId::PLATFORM),
            StreamRef::of::<User>(OrganizationId::PLATFORM, self.user),
        ]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![(EXTERNAL_REF_LOOKUP, &self.external_ref)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        if unit.state::<Organization>(OrganizationId::PLATFORM)?.profile().is_none() {
            let create = CreateOrganization {
                organization_id: OrganizationId::PLATFORM,
                name: NAME.to_owned(),
                slug: SLUG.to_owned(),
                default_locale: Locale::default(),
                with_setup: false,
            };
            unit.run::<Organization>(OrganizationId::PLATFORM, &OrganizationCommand::Create(create))?;
            unit.claim(slug_claim(SLUG), OrganizationId::PLATFORM);
        }
        let claim = unit.hashed(EXTERNAL_REF_LOOKUP);
        if let Some(holder) = claim.and_then(|claim| unit.holder(claim)) {
            return Ok(Answer::new(USER_ID, holder, "ACTIVE"));
        }
        let create = CreateUser {
            user_id: self.user,
            organization_id: OrganizationId::PLATFORM,
            external_ref: self.external_ref.clone(),
            display_name: None,
            role: Role::PlatformAdmin.into(),
        };
        unit.run::<User>(self.user, &UserCommand::Create(create))?;
        if let Some(claim) = claim {
            unit.claim(claim, self.user);
        }
        Ok(Answer::new(USER_ID, self.user, "ACTIVE"))
    }
}
