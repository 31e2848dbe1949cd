//! What the gate remembers of who read what.

use super::{
    call::{Call, apart},
    gate::Gate,
    ports::{Access, SensitiveRead},
};
use crate::problem::Problem;
use futures::future::LocalBoxFuture;
use palmares_commands::{engine::Rejection, privacy::PrivacyError};
use palmares_domain::kernel::{Admission, Admitted, DataClass, UserId};
use std::collections::BTreeSet;

impl Gate {
    /// Records a read that has to be remembered: of confidential data, any export, any look into
    /// another organization, and whatever is read with an elevation (E-33). One's own data is one's own.
    /// `export_from` is where an export begins.
    pub async fn record_read<T>(
        &self,
        call: &Call<'_>,
        admitted: &Admitted<T>,
        owner: Option<UserId>,
        export_from: Option<i64>,
    ) -> Result<i64, Problem> {
        self.record_shown(call, admitted.admission(), owner, export_from, BTreeSet::new()).await
    }

    /// The same of an answer that is made already, with those whose personal data it shows.
    pub(super) fn record_shown<'a>(
        &'a self,
        call: &'a Call<'_>,
        admission: &'a Admission,
        owner: Option<UserId>,
        export_from: Option<i64>,
        shown: BTreeSet<UserId>,
    ) -> LocalBoxFuture<'a, Result<i64, Problem>> {
        apart(self.read(call, admission, owner, export_from, shown))
    }

    async fn read(
        &self,
        call: &Call<'_>,
        admission: &Admission,
        owner: Option<UserId>,
        export_from: Option<i64>,
        shown: BTreeSet<UserId>,
    ) -> Result<i64, Problem> {
        let foreign = call.caller.as_ref().is_some_and(|caller| caller.home != admission.organization);
        let confidential = call.route.data_class >= DataClass::Confidential && owner != Some(admission.actor);
        let remembered = foreign || confidential || export_from.is_some() || admission.elevation.is_some();
        if remembered { self.access(call, admission, owner, export_from, shown).await } else { Ok(0) }
    }

    /// Records an access in the log of the organization that it touched, and answers where. What the
    /// caller repeats under one key is recorded once.
    pub async fn record_access<T>(
        &self,
        call: &Call<'_>,
        admitted: &Admitted<T>,
        owner: Option<UserId>,
        export_from: Option<i64>,
    ) -> Result<i64, Problem> {
        apart(self.access(call, admitted.admission(), owner, export_from, BTreeSet::new())).await
    }

    async fn access(
        &self,
        call: &Call<'_>,
        admission: &Admission,
        owner: Option<UserId>,
        export_from: Option<i64>,
        shown: BTreeSet<UserId>,
    ) -> Result<i64, Problem> {
        let Some(access) = call.access() else { return Ok(0) };
        let read = SensitiveRead {
            access: Access { organization: admission.organization, ..access },
            data_class: call.route.data_class,
            subject: owner,
            shown,
            export_from,
            query: call.query(),
            policies: admission.policies.clone(),
            repeatable: admission.idempotency,
        };
        self.access_log.sensitive_read(read).await.map_err(|error| match error.downcast::<Rejection>() {
            Ok(rejection @ Rejection::KeyReused) => rejection.into(),
            // Nothing is shown of which there would be no record. Where an organization's keys cannot be had, it
            // stays shut to whoever looks in from elsewhere, too.
            Ok(Rejection::Internal(cause)) if cause.is::<PrivacyError>() => Problem::unavailable(cause).because("gate.access_not_recorded"),
            Ok(rejection) => Problem::unavailable(rejection),
            Err(error) => Problem::unavailable(error),
        })
    }
}
