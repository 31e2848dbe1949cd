//! What became of letters.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    kernel::Admission,
    messaging::letter::{Letter, LetterCommand},
};

/// Records what became of a letter. The reactor that sends letters asks for it: no route does.
#[derive(Clone, Debug)]
pub struct RecordLetter(pub LetterCommand);

impl Operation for RecordLetter {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<Letter>(admission.organization, self.0.envelope().letter_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let letter = self.0.envelope().letter_id;
        unit.run::<Letter>(letter, &self.0)?;
        Ok(Answer::new("letter_id", letter, "RECORDED"))
    }
}
