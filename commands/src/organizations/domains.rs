//! The domains of an organization: claimed, proven by the DNS, opened to their people (E-137, E-138).

use crate::engine::{Answer, Engine, Operation, Refused, Rejection, StreamRef, Unit};
use crate::store::ClaimKey;
use palmares_domain::{
    kernel::{Admission, Code, FieldError, OrganizationId, derive_uuid},
    organizations::{
        domain::{AutoJoin, Challenge, Domain, DomainCommand, DomainName, domain_id},
        organization::{Organization, OrganizationError},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    ClaimDomain => permit "organizations.domain.claim", throttle Write;
    VerifyDomain => permit "organizations.domain.verify", throttle Write;
    SetAutoJoin => permit "organizations.domain.set_auto_join", throttle Write;
    ReleaseDomain => permit "organizations.domain.release", throttle Write;
}

/// The stream of a domain in the organization that claims it.
pub fn domain_stream(organization: OrganizationId, domain: &DomainName) -> StreamRef {
    StreamRef::of::<Domain>(organization, domain_id(organization, domain))
}

/// Held by the organization that proved the domain, and by nobody before: an unproven claim keeps no
/// one out. The platform's own tenant holds it, since a domain is unique over all organizations.
pub fn domain_claim(domain: &DomainName) -> ClaimKey {
    ClaimKey { organization: OrganizationId::PLATFORM, key: derive_uuid("organization-domain", &[domain.as_str().as_bytes()]) }
}

fn answer(domain: &DomainName, status: &str) -> Answer {
    Answer::default().with("domain", domain.as_str()).with("status", status)
}

fn run(unit: &mut Unit<'_>, organization: OrganizationId, domain: &DomainName, command: &DomainCommand) -> Result<(), Refused> {
    unit.run::<Domain>(domain_id(organization, domain), command).map(drop)
}

/// Says that a domain is the organization's. It answers the TXT record that proves it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimDomain {
    pub organization_id: OrganizationId,
    #[schema(value_type = String, max_length = 253)]
    pub domain: DomainName,
}

impl Operation for ClaimDomain {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![domain_stream(self.organization_id, &self.domain)]
    }

    fn reads(&self, _: &Admission) -> Vec<StreamRef> {
        vec![super::own_stream(self.organization_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let profile = unit.state::<Organization>(self.organization_id)?.profile();
        if profile.is_none_or(|profile| profile.status.is_end()) {
            return Err(OrganizationError::Ended.into());
        }
        let command = DomainCommand::Claim { organization_id: self.organization_id, domain: self.domain.clone() };
        run(unit, self.organization_id, &self.domain, &command)?;
        let Challenge { name, value } = Challenge::of(self.organization_id, &self.domain);
        Ok(answer(&self.domain, "CLAIMED").with("record_name", name).with("record_value", value))
    }
}

/// Proves a domain by the record that its holder published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyDomain {
    pub organization_id: OrganizationId,
    #[schema(value_type = String)]
    pub domain: DomainName,
    /// The TXT records under the name of the challenge, looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    pub records: Vec<String>,
}

impl Operation for VerifyDomain {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![domain_stream(self.organization_id, &self.domain)]
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        vec![domain_claim(&self.domain)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.organization_id, &self.domain, &DomainCommand::Verify { records: self.records.clone() })?;
        let claim = domain_claim(&self.domain);
        if unit.holder(claim).is_some() {
            let taken = Refused::new(Code::Conflict, "organizations.domain_taken", "another organization has proven this domain");
            return Err(Refused { errors: vec![FieldError::new("domain", "organizations.domain_taken")], ..taken });
        }
        unit.claim(claim, self.organization_id);
        Ok(answer(&self.domain, "VERIFIED"))
    }
}

/// Says whether people with an address of the domain join by themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAutoJoin {
    pub organization_id: OrganizationId,
    #[schema(value_type = String)]
    pub domain: DomainName,
    pub mode: AutoJoin,
}

impl Operation for SetAutoJoin {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![domain_stream(self.organization_id, &self.domain)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.organization_id, &self.domain, &DomainCommand::SetAutoJoin(self.mode))?;
        Ok(answer(&self.domain, "VERIFIED").with("auto_join", self.mode.name()))
    }
}

/// Gives a domain up: its people no longer join by themselves, and anyone may claim it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDomain {
    pub organization_id: OrganizationId,
    #[schema(value_type = String)]
    pub domain: DomainName,
}

impl Operation for ReleaseDomain {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![domain_stream(self.organization_id, &self.domain)]
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        vec![domain_claim(&self.domain)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.organization_id, &self.domain, &DomainCommand::Release)?;
        let claim = domain_claim(&self.domain);
        // An unproven claim holds nothing, and what another proved is theirs.
        if unit.holder(claim) == Some(Uuid::from(self.organization_id)) {
            unit.release(claim);
        }
        Ok(answer(&self.domain, "RELEASED"))
    }
}

/// The organization that proved a domain, and how people with an address there join it (E-137).
///
/// # Errors
/// When it cannot be looked up.
pub async fn proven_domain(engine: &Engine, domain: &DomainName) -> Result<Option<(OrganizationId, AutoJoin)>, Rejection> {
    let Some(holder) = engine.owner(domain_claim(domain)).await?.map(OrganizationId) else { return Ok(None) };
    // The claim may be given up in between: then nobody joins.
    let mode = engine.look(holder, domain_id(holder, domain), |found: &Domain| found.is_verified().then(|| found.auto_join())).await?;
    Ok(mode.map(|mode| (holder, mode)))
}
