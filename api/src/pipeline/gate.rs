//! The gate: who asks, for which organization, how often, and whether they may (design 5).
//!
//! A request enters in two steps, because whose resource it is about may stand in its body. The
//! first asks whether the caller could be permitted at all, so that a stranger's body is not even
//! read (but where somebody reaches for a role, since which one is recorded); the second decides with the owner known and grants the proof that execution needs.

use super::{
    api_key::ApiKeyText,
    call::{Call, apart},
    credentials::{Presented, token_invalid},
    decision::{Circumstances, DecisionPoint, OwnPolicies, PolicyFault, Question, Through, Verdict},
    elevated::{ActedAs, named_elevation},
    limits::Limiter,
    named::named_organization,
    owed_consents::check_consents,
    ports::{AccessLog, Program, Shown, Standing, Standings},
    related::Belonging,
    session_secret::digest_of,
    step_up::check_proof,
    tokens::TokenKeys,
};
use crate::problem::{Denied, Problem};
use palmares_domain::{
    identity::{Rights, api_key::Quota, user::UserStatus},
    kernel::{Admission, Admitted, Code, ElevationId, Idempotency, OrganizationId, SessionId, Tenant, UserId},
};
use std::{collections::BTreeSet, sync::Arc};

/// The parameter that takes the caller's own id where a path begins with `/me`.
pub(super) const SELF_PARAM: &str = "user_id";

const PERMISSION_MISSING: &str = "gate.permission_missing";
/// What is recorded of a refusal that looks as if nothing were there.
const NOT_THE_OWNER: &str = "gate.not_the_owner";

/// What the gate is made of.
pub struct Gate {
    pub(super) limiter: Limiter,
    tokens: Arc<TokenKeys>,
    pub(super) decisions: DecisionPoint,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) access_log: Arc<dyn AccessLog>,
}

/// Who asks, as far as the gate found out.
#[derive(Clone)]
pub struct Caller {
    pub user: UserId,
    /// The user's own organization.
    pub home: OrganizationId,
    /// The session in which the user is signed in; none where an operator made the token.
    pub session: Option<SessionId>,
    /// What the user's roles grant now, as far as the token and the session may be used with them.
    pub rights: Rights,
    /// What was shown when the session was started; none where there is no session.
    pub shown: Option<Shown>,
    /// What the user's roles grant beside that, to a session that showed a second factor.
    pub withheld: Rights,
    /// The elevation that the request uses.
    pub elevation: Option<ElevationId>,
    /// As whom it acts, where that is another user.
    pub acted_as: Option<ActedAs>,
    /// Whether the user is to be deleted.
    pub leaving: bool,
    /// Whether it is a program, which acts by its key.
    pub program: bool,
}

impl Caller {
    /// Somebody of whom no more is known than who they are.
    fn known_as(user: UserId, home: OrganizationId, session: Option<SessionId>) -> Self {
        let (rights, withheld) = (Rights::default(), Rights::default());
        let (elevation, acted_as) = (None, None);
        Self { user, home, session, rights, shown: None, withheld, elevation, acted_as, leaving: false, program: false }
    }
}

/// A caller who may be permitted, depending on whose resource it is.
pub struct Entered {
    /// The tenant in which the request acts.
    tenant: Tenant,
    caller: Caller,
    permission: &'static str,
    /// The policies of the organization itself, where they have a say.
    own_policies: Option<Arc<OwnPolicies>>,
    /// The owner for whom it is permitted already, and the policies that permit it; `None` where it
    /// depends on whose resource it is.
    permitted: Option<(Option<UserId>, Vec<String>)>,
}

/// The terms of a command, from its headers and query.
#[derive(Clone, Copy, Default)]
pub struct Terms {
    pub idempotency: Option<Idempotency>,
    pub if_match: Option<i64>,
    pub dry_run: bool,
}

impl Gate {
    /// # Errors
    /// Platform policies that do not fit the routes' permissions.
    pub fn new(
        limiter: Limiter,
        tokens: Arc<TokenKeys>,
        standings: Arc<dyn Standings>,
        access_log: Arc<dyn AccessLog>,
    ) -> Result<Self, PolicyFault> {
        let decisions = DecisionPoint::new(crate::routes::permissions().permissions())?;
        Ok(Self { limiter, tokens, decisions, standings, access_log })
    }

    /// The public keys under which our tokens verify.
    pub fn jwks(&self) -> serde_json::Value {
        self.tokens.jwks()
    }

    /// What signs and verifies tokens.
    pub fn tokens(&self) -> &TokenKeys {
        &self.tokens
    }

    /// Where refusals and sensitive reads are remembered.
    pub fn access_log(&self) -> Arc<dyn AccessLog> {
        self.access_log.clone()
    }

    /// Decides for whoever is asked about; nothing is granted by it.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        self.decisions.decide(question)
    }

    /// Everything that can be decided before the body is read.
    pub async fn enter(&self, call: &mut Call<'_>) -> Result<Entered, Problem> {
        let (caller, plan, organization) = self.identify(call).await?;
        self.limiter.caller(caller.home, caller.user, call.route.throttle)?;
        if let Some(plan) = plan {
            self.limiter.plan(caller.home, caller.user, plan)?;
        }
        self.let_in(call, caller, organization).await
    }

    /// Whether the request would be let in now, not counted as one more: for connections that stay open.
    pub async fn look_again(&self, call: &mut Call<'_>) -> Result<(), Problem> {
        let (caller, _, organization) = self.identify(call).await?;
        self.let_in(call, caller, organization).await.map(|_| ())
    }

    /// Who asks, with the plan where it is a program, and in which organization.
    async fn identify(&self, call: &mut Call<'_>) -> Result<(Caller, Option<Quota>, OrganizationId), Problem> {
        let (mut caller, plan) = match ApiKeyText::in_request(call)? {
            Some(key) => self.program(call, &key).await.map(|(caller, plan)| (caller, Some(plan)))?,
            None => (self.person(call).await?, None),
        };
        let organization = self.place(call, &mut caller).await?;
        Ok((caller, plan, organization))
    }

    /// Asks whether the caller could be permitted at all.
    async fn let_in(&self, call: &Call<'_>, caller: Caller, organization: OrganizationId) -> Result<Entered, Problem> {
        let permission = call.route.permission.ok_or_else(|| Problem::internal(anyhow::anyhow!("a public route asked for the gate")))?;
        let own_policies = self.own_policies(&caller, organization).await?;
        let mut denied = BTreeSet::new();
        let mut permitted = None;
        // By their roles nobody has more rights over another's resource than over their own or over what is nobody's.
        let owners = [None, Some(caller.principal())];
        let own = |owner: Option<UserId>| Circumstances {
            policies: own_policies.as_deref(),
            owner_status: owner.map(|_| UserStatus::Active),
            ..Circumstances::default()
        };
        for owner in owners {
            match self.ask(&caller, permission, organization, owner, own(owner)) {
                Verdict::Permit(policies) => {
                    permitted = Some((owner, policies));
                    break;
                }
                Verdict::Deny(policies) => denied.extend(policies),
            }
        }
        // A policy may permit it for somebody's resource: then the body has to tell whose it is.
        let own_may = || own_policies.as_ref().is_some_and(|policies| policies.may_permit(permission));
        let depends = || own_may() || self.may_permit_related(&caller, permission, organization);
        if permitted.is_none() && !depends() {
            let denied: Vec<_> = denied.into_iter().collect();
            for owner in owners {
                self.check_withheld(&caller, permission, organization, owner, own(owner), &denied)?;
            }
            return Err(not_permitted(denied));
        }
        #[expect(clippy::disallowed_methods, reason = "this is the gate: the caller may act in this organization")]
        let tenant = Tenant::grant(organization);
        Ok(Entered { tenant, caller, permission, own_policies, permitted })
    }

    /// The person who asks, by token or cookie.
    async fn person(&self, call: &mut Call<'_>) -> Result<Caller, Problem> {
        let presented = Presented::in_request(call, &self.tokens)?;
        let Presented { organization: home, user, session, .. } = presented;
        let standing = self.standings.of(home, user).await.map_err(Problem::unavailable)?;
        // From here on refusals are recorded under the caller's name. A token is signed by us, but a
        // cookie proves nothing before its session is looked at: anyone could fill the log with made-up ones.
        if standing != Standing::Unknown && presented.cookie.is_none() {
            call.caller = Some(Caller::known_as(user, home, session));
        }
        let shown = self.check_session(&presented).await?;
        let leaving = matches!(standing, Standing::Leaving(_));
        let rights = rights_of(standing)?;
        let rights = presented.roles.iter().fold(rights, |rights, roles| rights.narrowed_to(roles));
        let mut caller = Caller { rights, leaving, ..Caller::known_as(user, home, session) };
        caller.withhold(shown);
        call.caller = Some(caller.clone());
        if call.route.is_about_caller() {
            call.params.push((SELF_PARAM, caller.user.to_string()));
        }
        presented.check_csrf(call)?;
        check_consents(call, &caller, self.standings.as_ref()).await?;
        Ok(caller)
    }

    /// The program that asks, and how often it may. It acts under the id of its key: it is no user, so
    /// nothing is its own. Of a key that is not good nothing is recorded, since anyone can make one up.
    async fn program(&self, call: &mut Call<'_>, key: &ApiKeyText) -> Result<(Caller, Quota), Problem> {
        let (user, home) = (UserId(key.key.0), key.organization);
        let found = self.standings.program(home, key.key, key.digest()).await.map_err(Problem::unavailable)?;
        let Program { standing, quota } = found.ok_or_else(token_invalid)?;
        let caller = Caller { program: true, ..Caller::known_as(user, home, None) };
        call.caller = Some(caller.clone());
        let caller = Caller { rights: rights_of(standing)?, ..caller };
        call.caller = Some(caller.clone());
        Ok((caller, quota))
    }

    /// Decides with the owner or the team known, and grants.
    ///
    /// # Errors
    /// What is someone else's looks as if it were not there; the access log knows better.
    pub async fn admit<T>(
        &self,
        call: &Call<'_>,
        entered: Entered,
        of: impl Into<Belonging>,
        terms: Terms,
        value: T,
    ) -> Result<Admitted<T>, Problem> {
        let admission = apart(self.admission(call, entered, of.into(), terms)).await?;
        #[expect(clippy::disallowed_methods, reason = "this is the gate: everything was checked")]
        Ok(Admitted::grant(admission, value))
    }

    /// Under what somebody is admitted.
    async fn admission(&self, call: &Call<'_>, entered: Entered, of: Belonging, terms: Terms) -> Result<Admission, Problem> {
        let organization = entered.tenant.organization();
        let policies = match entered.permitted {
            Some((permitted, policies)) if Belonging::from(permitted) == of => policies,
            permitted => {
                let own = entered.own_policies.as_deref();
                let owner_status = match of.owner.filter(|_| own.is_some()) {
                    Some(owner) => self.standings.status(organization, owner).await.map_err(Problem::unavailable)?,
                    None => None,
                };
                let relations = self.relations(&entered.caller, entered.permission, organization, of, own).await?;
                let circumstances = Circumstances { policies: own, owner_status, relations: &relations, through: Through::OwnRights };
                let known = of.is_known_to(entered.caller.user, &relations) || (of.is_nobodys() && permitted.is_none());
                let verdict = self.ask(&entered.caller, entered.permission, organization, of.owner, circumstances);
                if let Verdict::Deny(denied) = &verdict {
                    self.check_withheld(&entered.caller, entered.permission, organization, of.owner, circumstances, denied)?;
                }
                match verdict {
                    Verdict::Permit(policies) => policies,
                    Verdict::Deny(policies) if known => return Err(not_permitted(policies).aimed_at(of)),
                    Verdict::Deny(policies) => return Err(denied_by(policies, NOT_THE_OWNER, Problem::not_found()).aimed_at(of)),
                }
            }
        };
        check_proof(call, &entered.caller, &self.tokens)?;
        Ok(Admission {
            organization,
            actor: entered.caller.user,
            session: entered.caller.session,
            on_behalf_of: entered.caller.on_behalf_of(),
            elevation: entered.caller.elevation,
            rights: entered.caller.usable_rights(),
            permission: entered.permission,
            policies,
            request_id: call.request_id,
            correlation_id: call.correlation_id,
            causation: None,
            client: Some(call.client()),
            idempotency: terms.idempotency,
            if_match: terms.if_match,
            dry_run: terms.dry_run,
        })
    }

    /// Whether the session goes on, where there is one, and what it showed.
    async fn check_session(&self, presented: &Presented) -> Result<Option<Shown>, Problem> {
        let Some(session) = presented.session else { return Ok(None) };
        let secret = presented.cookie.as_ref().map(|cookie| digest_of(&cookie.family));
        match self.standings.signed_in(presented.organization, presented.user, session, secret).await {
            Ok(Some(shown)) => Ok(Some(shown)),
            Ok(None) => Err(token_invalid()),
            Err(error) => Err(Problem::unavailable(error)),
        }
    }

    /// The organization in which the request acts, with what the elevation that it names makes of the caller.
    /// Refusals from then on stand in its log: it learns of them as it does of what was done and read there.
    async fn place(&self, call: &mut Call<'_>, caller: &mut Caller) -> Result<OrganizationId, Problem> {
        let Some(elevation) = named_elevation(call)? else {
            let organization = self.tenant(caller, named_organization(call)?).await?;
            call.placed = Some(organization);
            return Ok(organization);
        };
        self.add_role(caller, elevation).await?;
        let organization = self.tenant(caller, named_organization(call)?).await?;
        call.placed = Some(organization);
        self.act_as(caller, elevation, organization).await?;
        // Refusals from here on carry the mark too.
        call.caller = Some(caller.clone());
        Ok(organization)
    }

    /// The organization in which the request acts. Only the platform's own admins may name another;
    /// to everyone else the answer is the same whether the named one exists or not.
    async fn tenant(&self, caller: &Caller, named: Option<OrganizationId>) -> Result<OrganizationId, Problem> {
        let organization = match named {
            None => return Ok(caller.home),
            Some(named) if named == caller.home => return Ok(named),
            Some(named) => named,
        };
        if !(caller.home == OrganizationId::PLATFORM && caller.rights.reach_everywhere()) {
            caller.check_reach_withheld()?;
            return Err(Problem::new(Code::TenantMismatch, "gate.tenant_mismatch"));
        }
        match self.standings.exists(organization).await.map_err(Problem::unavailable)? {
            true => Ok(organization),
            false => Err(Problem::not_found()),
        }
    }

    /// The policies of the organization itself, where they have a say in what the caller does.
    async fn own_policies(&self, caller: &Caller, organization: OrganizationId) -> Result<Option<Arc<OwnPolicies>>, Problem> {
        if caller.acted_as.is_none() && (caller.home != organization || caller.rights.reach_everywhere()) {
            return Ok(None);
        }
        self.standings.policies(organization).await.map_err(Problem::unavailable)
    }
}

impl Entered {
    pub fn actor(&self) -> UserId {
        self.caller.user
    }

    /// The user as whom the actor acts, where that is another one.
    pub fn on_behalf_of(&self) -> Option<UserId> {
        self.caller.on_behalf_of()
    }

    /// The tenant in which the request acts.
    pub fn tenant(&self) -> Tenant {
        self.tenant
    }
}

/// A refusal by policy where there is nothing to hide.
fn not_permitted(policies: Vec<String>) -> Problem {
    denied_by(policies, PERMISSION_MISSING, Problem::new(Code::AccessDenied, PERMISSION_MISSING))
}

/// A refusal by policy: what is recorded, and what is answered.
fn denied_by(policies: Vec<String>, reason: &'static str, answer: Problem) -> Problem {
    Problem { denied: Some(Box::new(Denied { reason, policies })), ..answer }
}

fn rights_of(standing: Standing) -> Result<Rights, Problem> {
    match standing {
        Standing::Active(rights) | Standing::Leaving(rights) => Ok(rights),
        Standing::OrganizationSuspended => Err(Problem::new(Code::AccessDenied, "gate.organization_suspended")),
        Standing::UserSuspended | Standing::Unknown => Err(Problem::new(Code::AuthenticationFailed, "gate.user_not_active")),
    }
}
