//! Breaches of personal data, and the clock of the authority.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::breach_case::{self, BreachCase, BreachCaseCommand, BreachNature, BreachRisk, BreachStatus, NotInformedGround},
    kernel::{Admission, BreachId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    OpenBreach => permit "compliance.breach.open", throttle Write;
    AssessBreach => permit "compliance.breach.assess", throttle Write;
    DescribeBreach => permit "compliance.breach.describe", throttle Write;
    NotifyAuthority => permit "compliance.breach.notify", throttle Write;
    WaiveNotification => permit "compliance.breach.waive", throttle Write;
    InformSubjects => permit "compliance.breach.inform", throttle Write;
    CloseBreach => permit "compliance.breach.close", throttle Write;
}

/// Opens the case of a breach: 72 hours from the moment that somebody became aware of it, the authority
/// has to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBreach {
    pub nature: BreachNature,
    /// What happened; it names nobody.
    #[schema(min_length = 1, max_length = 500)]
    pub summary: String,
    /// When somebody became aware of it, at most a year ago: now where it is missing.
    pub aware_at: Option<DateTime<Utc>>,
}

fn breach_stream(admission: &Admission, breach: BreachId) -> StreamRef {
    StreamRef::of::<BreachCase>(admission.organization, breach)
}

impl OpenBreach {
    fn id(admission: &Admission) -> BreachId {
        BreachId(new_id(admission, "breach_case"))
    }
}

impl Operation for OpenBreach {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![breach_stream(admission, Self::id(admission))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let breach_id = Self::id(unit.admission());
        let aware_at = self.aware_at.unwrap_or(unit.facts().now);
        let open = breach_case::OpenBreach { breach_id, nature: self.nature, summary: self.summary.clone(), aware_at };
        unit.run::<BreachCase>(breach_id, &BreachCaseCommand::Open(open))?;
        let due_at = unit.state::<BreachCase>(breach_id)?.breach().map(|breach| breach.due_at.to_rfc3339());
        Ok(Answer::new("id", breach_id, BreachStatus::Opened.name()).with("due_at", due_at))
    }
}

fn status(case: &BreachCase) -> &'static str {
    case.breach().map_or("", |breach| breach.status.name())
}

crate::life_cycle::steps! { BreachCase, breach_id: BreachId, breach_stream;
    /// Says how likely a breach harms people, and how many it concerns; again, with a reason, as long as
    /// the case is open. It may follow after the authority was told: what is known comes in phases. Where it concerns
    /// more people than before, or the risk is high now, they are to be told anew.
    AssessBreach {
        risk: BreachRisk,
        subjects: u32,
        /// What is seen in another light, where the breach was assessed before; it names nobody.
        #[schema(min_length = 1, max_length = 500)]
        reason: Option<String>
    } => |step| BreachCaseCommand::Assess { risk: step.risk, subjects: step.subjects, reason: step.reason.clone() }, status;

    /// Says what the authority is told of a breach: as far as it is known, and again when more is, until the case is
    /// closed. The texts name nobody.
    DescribeBreach {
        /// Which kinds of data.
        #[schema(min_length = 1, max_length = 500)] data_categories: String,
        /// Which kinds of people.
        #[schema(min_length = 1, max_length = 500)] people_categories: String,
        /// How many records, about.
        records: u32,
        /// What it may lead to.
        #[schema(min_length = 1, max_length = 500)] consequences: String,
        /// What was done, or is to be done.
        #[schema(min_length = 1, max_length = 500)] measures: String,
        /// Where more can be learned: the data protection officer, mostly.
        #[schema(min_length = 1, max_length = 500)] contact: String
    } => |step| BreachCaseCommand::Describe(breach_case::DescribeBreach {
        data_categories: step.data_categories.clone(),
        people_categories: step.people_categories.clone(),
        records: step.records,
        consequences: step.consequences.clone(),
        measures: step.measures.clone(),
        contact: step.contact.clone(),
    }), status;

    /// Says that the authority was told; after 72 hours with the reason why not earlier. It is said again, with the
    /// same reason, for a reference that the authority gave later.
    NotifyAuthority {
        #[schema(min_length = 1, max_length = 500)] reference: Option<String>,
        #[schema(min_length = 1, max_length = 500)] delay_reason: Option<String>
    } => |step| BreachCaseCommand::NotifyAuthority { reference: step.reference.clone(), delay_reason: step.delay_reason.clone() }, status;

    /// Says why the authority need not be told: where harm is unlikely.
    WaiveNotification {
        #[schema(min_length = 1, max_length = 500)] reason: String
    } => |step| BreachCaseCommand::Waive { reason: step.reason.clone() }, status;

    /// Says that those whom a breach concerns were told.
    InformSubjects => |_| BreachCaseCommand::InformSubjects, status;

    /// Closes a case that was assessed. Those whom a high risk concerns were told before, or it is said why
    /// they need not be told one by one. What the authority was told of is described before.
    CloseBreach {
        not_informed: Option<NotInformedGround>
    } => |step| BreachCaseCommand::Close { not_informed: step.not_informed }, status;

    /// Records that the 72 hours are over, where they are.
    MarkBreachOverdue => |_| BreachCaseCommand::MarkOverdue, status;
}
