//! The searches of the audit log that somebody keeps for themselves.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    compliance::saved_searches::{self, SavedSearches, SavedSearchesCommand, SearchFilters},
    kernel::{Admission, SearchId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    SaveSearch => permit "compliance.audit_search.save", throttle Write;
    ForgetSearch => permit "compliance.audit_search.forget", throttle Write;
}

/// Keeps a search of the audit log, for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveSearch {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Filters of `GET /audit-logs` by their names, such as `{"audit_name": "ROLE_CHANGED"}`.
    pub filters: SearchFilters,
}

/// Forgets a search.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetSearch {
    pub search_id: SearchId,
}

/// Whoever acts has searches of their own, and sees no others.
fn own_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<SavedSearches>(admission.organization, admission.actor)
}

impl Operation for SaveSearch {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![own_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = unit.admission().actor;
        let search_id = SearchId(new_id(unit.admission(), "audit-search"));
        let save = saved_searches::SaveSearch { user_id, search_id, name: self.name.clone(), filters: self.filters.clone() };
        unit.run::<SavedSearches>(user_id, &SavedSearchesCommand::Save(save))?;
        Ok(Answer::new("id", search_id, "SAVED"))
    }
}

impl Operation for ForgetSearch {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![own_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = unit.admission().actor;
        unit.run::<SavedSearches>(user_id, &SavedSearchesCommand::Forget { user_id, search_id: self.search_id })?;
        Ok(Answer::new("id", self.search_id, "FORGOTTEN"))
    }
}
