//! The generic handler of doors: what may be asked before anyone knows who asks, such as to sign in.
//!
//! A door decides for itself whom it lets in, so it is an exception, and a snapshot counts it. It
//! works under names of its own in the log (`door.<what it does>`), never under a role.

use super::{
    body,
    call::{Answer, Call, apart},
    command,
    route::Verb,
    server::Services,
    session_secret::CookieSecret,
};
use crate::problem::{Language, Problem};
use actix_web::{
    HttpResponseBuilder,
    cookie::Cookie,
    http::{StatusCode, header},
};
use palmares_domain::kernel::{Admission, Admitted, ClientContext, OrganizationId, SessionId, UserId};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, net::IpAddr};
use utoipa::ToSchema;
use uuid::Uuid;

/// A door. Its fields are the parameters of path and query string with the body.
pub trait Door: DeserializeOwned + ToSchema + Send + 'static {
    type Output: Serialize + ToSchema;
    const STATUS: u16 = 200;

    fn open(self, visit: &Visit<'_>) -> impl Future<Output = Result<Opened<Self::Output>, Problem>>;
}

/// What a door answers.
pub struct Opened<T> {
    pub output: T,
    /// Cookies that the browser shall keep or, where they are over, forget.
    pub cookies: Vec<Cookie<'static>>,
    /// Where the browser shall go on (302), if it is one that waits for the answer.
    pub location: Option<String>,
}

impl<T> From<T> for Opened<T> {
    fn from(output: T) -> Self {
        Self { output, cookies: Vec::new(), location: None }
    }
}

/// Someone before a door.
pub struct Visit<'a> {
    pub services: &'a Services,
    pub address: IpAddr,
    /// Where the request came from. Personal data.
    pub client: ClientContext,
    pub language: Language,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    call: &'a Call<'a>,
}

impl Visit<'_> {
    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.call.request.cookie(name).map(|cookie| cookie.value().to_owned())
    }

    /// Method and pattern of the door.
    pub fn route_name(&self) -> String {
        self.call.route_name()
    }

    /// Refuses a request that comes with a cookie and without what only our own pages know (T-62).
    pub fn check_csrf(&self, cookie: &CookieSecret) -> Result<(), Problem> {
        cookie.check_told(self.call)
    }

    /// Admits what a door does in the name of the user whom it recognized.
    pub fn admit<T>(
        &self,
        organization: OrganizationId,
        actor: UserId,
        session: Option<SessionId>,
        permission: &'static str,
        operation: T,
    ) -> Admitted<T> {
        let admission = Admission {
            session,
            correlation_id: self.correlation_id,
            client: Some(self.client.clone()),
            ..Admission::of(organization, actor, permission, self.request_id)
        };
        #[expect(clippy::disallowed_methods, reason = "a door lets in whom it recognizes; the gate asks who that is from then on")]
        Admitted::grant(admission, operation)
    }
}

/// Serves one door.
pub async fn serve<D: Door>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    services.gate.limiter.door(call.address)?;
    let query = call.query();
    let door: D = if call.route.verb == Verb::Get {
        body::parameters(&call.params, &query)?
    } else {
        let mut object = apart(command::object(call)).await?;
        for (name, value) in query {
            if object.insert(name.clone(), value.into()).is_some() {
                return Err(Problem::invalid_field(name, "duplicate_field"));
            }
        }
        body::typed(object)?
    };
    let visit = Visit {
        services,
        address: call.address,
        client: call.client(),
        language: call.language,
        request_id: call.request_id,
        correlation_id: call.correlation_id,
        call,
    };
    let Opened { output, cookies, location } = door.open(&visit).await?;
    let mut response = HttpResponseBuilder::new(StatusCode::from_u16(D::STATUS).unwrap_or(StatusCode::OK));
    if let Some(location) = location {
        response.status(StatusCode::FOUND).insert_header((header::LOCATION, location));
    }
    for cookie in cookies {
        response.cookie(cookie);
    }
    Ok(response.json(output))
}
