//! What an export tells beside the data: why it is kept, who is shown it, how long, and which rights there are
//! (GDPR, article 15(1)).

use palmares_domain::{
    compliance::{
        retention_schedule::{RecordClass, RetentionSchedule},
        subject_request::SubjectRequestKind,
    },
    organizations::organization::Controller,
    registry::{PurposeInformation, information},
};
use serde::Serialize;

/// Where whoever thinks that something is not right may turn to.
const COMPLAINT: &str = "A data protection authority, where you live or work for example, and the courts.";
/// Where data came from that its subject did not give.
const SOURCE: &str = "Each event names in `actor_id` who recorded it.";

#[derive(Serialize)]
pub(super) struct Information {
    /// Whose it is to decide what is kept and why, and how to reach them.
    pub controller: Controller,
    pub purposes: Vec<PurposeInformation>,
    /// How long this organization keeps what.
    pub retention: Vec<Period>,
    /// What can be asked for by law, by `POST /me/subject-requests`.
    pub rights: Vec<&'static str>,
    pub complaint: &'static str,
    pub source: &'static str,
}

/// How long a class of records is kept.
#[derive(Serialize)]
pub(super) struct Period {
    pub class: RecordClass,
    /// After the account has ended; of the log itself, after what it records.
    pub days: u32,
    pub ground: &'static str,
}

impl Information {
    pub fn of(controller: Controller, schedule: &RetentionSchedule) -> Self {
        let period = |class: RecordClass| Period { class, days: schedule.days(class), ground: class.ground() };
        Self {
            controller,
            purposes: information(),
            retention: RecordClass::ALL.map(period).into_iter().collect(),
            rights: SubjectRequestKind::ALL.map(SubjectRequestKind::name).to_vec(),
            complaint: COMPLAINT,
            source: SOURCE,
        }
    }
}
