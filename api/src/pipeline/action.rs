//! The generic handler of actions: what concerns the machinery rather than the business, such as
//! where the projections stand. No aggregate decides it and no tenant's read model answers it.

use super::{
    body,
    call::{Answer, Call, apart},
    command,
    gate::Terms,
    query::require_ids,
    route::Verb,
    server::Services,
};
use crate::problem::Problem;
use actix_web::{HttpResponseBuilder, http::StatusCode};
use palmares_domain::kernel::{Admitted, UserId};
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;
use utoipa::ToSchema;

/// An action. Its fields are the parameters of the path with the body or the query string.
pub trait Action: DeserializeOwned + ToSchema + Send + 'static {
    type Output: Serialize + ToSchema;
    const STATUS: u16 = 200;
    /// Whether a `POST` is remembered before it is done; one that only asks need not be.
    const RECORDED: bool = true;

    /// The user whose resource it is, where self-service policies apply.
    fn owner(&self) -> Option<UserId> {
        None
    }

    fn perform(admitted: Admitted<Self>, services: &Services) -> impl Future<Output = Result<Self::Output, Problem>>;
}

/// Serves one action. One that changes something is recorded before it is done.
pub async fn serve<A: Action>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    let entered = apart(services.gate.enter(call)).await?;
    require_ids(call)?;
    let (changes, query) = (call.route.verb != Verb::Get, call.query());
    let action: A = match (changes, query.first()) {
        (true, Some((name, _))) => return Err(Problem::invalid_field(name, "unknown_field")),
        (true, None) => body::typed(apart(command::object(call)).await?)?,
        (false, _) => body::parameters(&call.params, &query)?,
    };
    let owner = action.owner();
    let admitted = services.gate.admit(call, entered, owner, Terms::default(), action).await?;
    match changes && A::RECORDED {
        true => services.gate.record_access(call, &admitted, owner, None).await?,
        false => services.gate.record_read(call, &admitted, owner, None).await?,
    };
    let output = A::perform(admitted, services).await?;
    Ok(HttpResponseBuilder::new(StatusCode::from_u16(A::STATUS).unwrap_or(StatusCode::OK)).json(output))
}
