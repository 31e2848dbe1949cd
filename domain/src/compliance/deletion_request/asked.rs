//! How a deletion is asked for, and how it is taken back before anything is gone.

use super::{
    CancellationExplained, DeletionCancelled, DeletionError, DeletionEvent, DeletionKind, DeletionStatus, DeletionSubmitted, Dossier,
    SubmitDeletion, status,
};
use crate::kernel::{Personal, UserId, text::is_prose};

const INCIDENT_MAX_CHARS: usize = 64;

impl Dossier {
    /// Whether somebody asks anew: where it is over, and where nobody has shown yet that they meant it. Else whoever asks
    /// first, and shows nothing, would keep everybody else from asking.
    fn gives_way_to(&self, kind: DeletionKind, actor: UserId) -> bool {
        let forces = kind == DeletionKind::Forced && self.kind != DeletionKind::Forced;
        let of_others = self.requested_by != actor || forces;
        status::RESUBMIT.leads_from(self.status) || (self.status == DeletionStatus::Submitted && of_others)
    }
}

pub(super) fn submitted(before: Option<&Dossier>, command: &SubmitDeletion, actor: UserId) -> Result<DeletionEvent, DeletionError> {
    if before.is_some_and(|dossier| !dossier.gives_way_to(command.kind, actor)) {
        return Err(DeletionError::AlreadyOpen);
    }
    if command.reason.as_ref().is_some_and(|reason| !is_prose(reason)) {
        return Err(DeletionError::ReasonInvalid);
    }
    if command.kind == DeletionKind::Forced {
        command.ground.ok_or(DeletionError::GroundMissing)?;
        command.incident.as_deref().filter(|incident| is_reference(incident)).ok_or(DeletionError::IncidentInvalid)?;
    }
    Ok(DeletionSubmitted {
        request_id: command.request_id,
        subject: command.subject,
        kind: command.kind,
        requested_by: actor,
        concerns: command.subject.user().unwrap_or(actor),
        ground: command.ground,
        incident: command.incident.clone(),
        reason: command.reason.clone().map(Personal::Clear),
    }
    .into())
}

/// What a person asked for themselves others take back with a reason only, which is on record and told to the person.
pub(super) fn cancelled(dossier: &Dossier, reason: Option<&String>, cancelled_by: UserId) -> Result<Vec<DeletionEvent>, DeletionError> {
    let Dossier { request_id, subject, .. } = *dossier;
    if reason.is_some_and(|reason| !is_prose(reason)) {
        return Err(DeletionError::ReasonInvalid);
    }
    let told = dossier.told_by(cancelled_by);
    if reason.is_none() && told.is_some() {
        return Err(DeletionError::ReasonMissing);
    }
    let concerns = subject.user().unwrap_or(cancelled_by);
    let explained = reason.map(|reason| {
        let reason = Personal::Clear(reason.clone());
        CancellationExplained { request_id, subject, cancelled_by, told, concerns, reason }.into()
    });
    Ok([DeletionCancelled { request_id, cancelled_by }.into()].into_iter().chain(explained).collect())
}

fn is_reference(text: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    (1..=INCIDENT_MAX_CHARS).contains(&text.len()) && text.chars().all(fits)
}
