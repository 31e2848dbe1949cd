//! What may be asked of a retention schedule.

use super::RecordClass;

#[derive(Clone, Copy, Debug)]
pub enum RetentionCommand {
    Set(SetRetentionPeriod),
}

/// Keeps a class of records for so long.
#[derive(Clone, Copy, Debug)]
pub struct SetRetentionPeriod {
    pub class: RecordClass,
    pub days: u32,
}
