//! What happens to a breach.

use super::{BreachNature, BreachRisk, BreachStatus, NotInformedGround, status};
use crate::{
    events,
    kernel::{BreachId, Personal, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a breach. The texts say what happened to systems and should name nobody: the record has
    /// to stay when people go (GDPR, article 33(5)). Nobody can see to that, so they are sealed as the case's.
    pub enum BreachCaseEvent {
        BreachOpened = "compliance.breach_opened" v 1 {
            breach_id: BreachId = internal,
            nature: BreachNature = internal,
            summary: Personal<String> = confidential of breach_id for Case,
            aware_at: DateTime<Utc> = internal,
            /// By when the authority has to be told.
            due_at: DateTime<Utc> = internal,
            opened_by: UserId = internal,
        },
        BreachAssessed = "compliance.breach_assessed" v 1 {
            breach_id: BreachId = internal,
            risk: BreachRisk = internal,
            subjects: u32 = internal,
            assessed_by: UserId = internal,
            /// What is seen in another light, where it was assessed before.
            reason: Option<Personal<String>> = confidential of breach_id for Case,
        },
        BreachDescribed = "compliance.breach_described" v 1 {
            breach_id: BreachId = internal,
            data_categories: Personal<String> = confidential of breach_id for Case,
            people_categories: Personal<String> = confidential of breach_id for Case,
            /// How many records it concerns, about.
            records: u32 = internal,
            consequences: Personal<String> = confidential of breach_id for Case,
            measures: Personal<String> = confidential of breach_id for Case,
            contact: Personal<String> = confidential of breach_id for Case,
            described_by: UserId = internal,
        },
        /// Once more where the authority gave its reference later; what it says then holds.
        AuthorityNotified = "compliance.breach_authority_notified" v 1 {
            breach_id: BreachId = internal,
            reference: Option<Personal<String>> = confidential of breach_id for Case,
            delay_reason: Option<Personal<String>> = confidential of breach_id for Case,
            notified_by: UserId = internal,
        },
        NotificationWaived = "compliance.breach_notification_waived" v 1 {
            breach_id: BreachId = internal,
            reason: Personal<String> = confidential of breach_id for Case,
            waived_by: UserId = internal,
        },
        SubjectsInformed = "compliance.breach_subjects_informed" v 1 {
            breach_id: BreachId = internal,
            informed_by: UserId = internal,
        },
        /// Nobody told the authority in time.
        BreachOverdue = "compliance.breach_overdue" v 1 {
            breach_id: BreachId = internal,
            due_at: DateTime<Utc> = internal,
        },
        BreachClosed = "compliance.breach_closed" v 1 {
            breach_id: BreachId = internal,
            closed_by: UserId = internal,
            /// Why those whom a high risk concerns were not told, where they were not.
            not_informed: Option<NotInformedGround> = internal,
        }
    }
}

impl BreachCaseEvent {
    pub fn breach_id(&self) -> BreachId {
        match self {
            BreachCaseEvent::BreachOpened(event) => event.breach_id,
            BreachCaseEvent::BreachAssessed(event) => event.breach_id,
            BreachCaseEvent::BreachDescribed(event) => event.breach_id,
            BreachCaseEvent::AuthorityNotified(event) => event.breach_id,
            BreachCaseEvent::NotificationWaived(event) => event.breach_id,
            BreachCaseEvent::SubjectsInformed(event) => event.breach_id,
            BreachCaseEvent::BreachOverdue(event) => event.breach_id,
            BreachCaseEvent::BreachClosed(event) => event.breach_id,
        }
    }

    /// The state it brings the breach to; none where it leaves it as it is. Of an authority that was told,
    /// an assessment takes nothing back ([`BreachStatus::with`]).
    pub fn status(&self) -> Option<BreachStatus> {
        match self {
            BreachCaseEvent::BreachOpened(_) => Some(BreachStatus::Opened),
            BreachCaseEvent::BreachAssessed(_) => Some(status::ASSESS.to),
            BreachCaseEvent::AuthorityNotified(_) => Some(status::NOTIFY.to),
            BreachCaseEvent::NotificationWaived(_) => Some(status::WAIVE.to),
            BreachCaseEvent::BreachClosed(_) => Some(status::CLOSE.to),
            BreachCaseEvent::BreachDescribed(_) | BreachCaseEvent::SubjectsInformed(_) | BreachCaseEvent::BreachOverdue(_) => None,
        }
    }
}
