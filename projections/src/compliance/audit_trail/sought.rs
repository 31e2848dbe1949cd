//! What a search means in the rows: permissions for a group of them, texts for words, contexts for an
//! address, positions for times.

use super::{
    query::{ListAuditLogs, Outcome},
    search::Between,
    statements, texts,
};
use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ClientContext, DataClass};
use uuid::Uuid;

/// The values that a column may have, where it matters.
#[derive(Debug)]
pub(super) struct Sought {
    pub actions: Option<Vec<String>>,
    pub texts: Option<Vec<Uuid>>,
    pub contexts: Option<Vec<Uuid>>,
    /// Whether one value of one column is asked for, of which an index has the entries in their order.
    by_value: bool,
    /// Whether the page is made from what concerns the target.
    target: bool,
    target_type: bool,
}

impl Sought {
    /// The values and the stretch; none where nothing can be found.
    pub async fn of(asked: &ListAuditLogs, reader: &mut TenantReader<'_>, between: Between) -> Result<Option<(Self, Between)>, ReadError> {
        let Some(between) = in_time(asked, reader, between).await? else { return Ok(None) };
        let actions = match &asked.action {
            Some(group) => Some(actions(reader, group).await?),
            None => None,
        };
        let names = asked.event_type.iter().chain(&asked.action);
        let texts = match &asked.text {
            Some(text) => Some(texts::matching(reader, text, names).await?),
            // A type and a permission that are common alone may never meet: there is no such text then.
            None if asked.event_type.is_some() && asked.action.is_some() => texts::few_named(reader, names).await?,
            None => None,
        };
        let contexts = match &asked.ip {
            Some(ip) => Some(contexts(reader, ip).await?),
            None => None,
        };
        let ids = [asked.actor_id, asked.correlation_id, asked.on_behalf_of, asked.elevation_id, asked.session_id];
        // Texts are of one type of event each.
        let by_value = ids.iter().any(Option::is_some)
            || (asked.event_type.is_some() && texts.is_none())
            || asked.audit_name.is_some()
            || asked.outcome == Some(Outcome::Refused);
        // What one request, session or elevation did is less than what concerns anybody.
        let few = [asked.correlation_id, asked.elevation_id, asked.session_id].iter().any(Option::is_some);
        let (target, target_type) = (asked.target_id.is_some() && !few, asked.target_type.is_some());
        let sought = Self { actions, texts, contexts, by_value, target, target_type };
        Ok((sought.fewest() != Some(0)).then_some((sought, between)))
    }

    /// How many values the column has that has the fewest.
    fn fewest(&self) -> Option<usize> {
        let texts = [self.texts.as_ref().map(Vec::len), self.contexts.as_ref().map(Vec::len)];
        texts.into_iter().chain([self.actions.as_ref().map(Vec::len)]).flatten().min()
    }

    /// The column whose index the page is made from, value by value; none where PostgreSQL finds an index
    /// by itself.
    pub fn drive(&self) -> Option<Drive> {
        if self.target {
            return Some(Drive::Target);
        }
        if self.by_value {
            return None;
        }
        // An entry's text is of its permission: where there are few texts, their entries are fewer.
        let few_texts = self.texts.as_ref().is_some_and(|texts| texts.len() <= texts::FEW);
        let columns = [
            (self.actions.as_ref().map(Vec::len).filter(|_| !few_texts), Drive::Action),
            (self.contexts.as_ref().map(Vec::len), Drive::Context),
            (self.texts.as_ref().map(Vec::len), Drive::Text),
        ];
        let fewest = columns.into_iter().filter_map(|(values, drive)| Some((values?, drive))).min_by_key(|(values, _)| *values);
        fewest.map(|(_, drive)| drive).or(self.target_type.then_some(Drive::TargetType))
    }

    /// Takes the values of a column that has a list of them: they are no longer asked for as one.
    pub fn take(&mut self, drive: Drive) -> Option<Vec<String>> {
        let texts = |ids: Vec<Uuid>| ids.iter().map(Uuid::to_string).collect();
        match drive {
            Drive::Action => self.actions.take(),
            Drive::Text => self.texts.take().map(texts),
            Drive::Context => self.contexts.take().map(texts),
            Drive::Target | Drive::TargetType => None,
        }
    }
}

/// What a page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drive {
    Action,
    Text,
    Context,
    Target,
    TargetType,
}

impl Drive {
    pub fn statement(self) -> &'static str {
        match self {
            Drive::Action => statements::BY_ACTION,
            Drive::Text => statements::BY_TEXT,
            Drive::Context => statements::BY_CONTEXT,
            Drive::Target => statements::BY_TARGET,
            Drive::TargetType => statements::BY_TARGET_TYPE,
        }
    }
}

/// The part of a stretch that was recorded when it is asked for: positions grow with the time.
async fn in_time(asked: &ListAuditLogs, reader: &mut TenantReader<'_>, mut between: Between) -> Result<Option<Between>, ReadError> {
    if let Some(from) = asked.from {
        let Some(first) = position(reader, statements::FIRST_SINCE, from).await? else { return Ok(None) };
        between.after = between.after.max(first - 1);
    }
    if let Some(to) = asked.to {
        let Some(last) = position(reader, statements::LAST_BEFORE, to).await? else { return Ok(None) };
        between.before = between.before.min(last.saturating_add(1));
    }
    Ok(Some(between))
}

async fn position(reader: &mut TenantReader<'_>, statement: &str, at: DateTime<Utc>) -> Result<Option<i64>, ReadError> {
    let query = sqlx::query_scalar(statement).persistent(false).bind(reader.organization().0).bind(at);
    Ok(query.fetch_optional(reader.connection()).await?)
}

/// The permissions of a group under which something was done.
async fn actions(reader: &mut TenantReader<'_>, group: &str) -> Result<Vec<String>, ReadError> {
    let query = sqlx::query_scalar(statements::ACTIONS).persistent(false).bind(reader.organization().0).bind(group);
    Ok(query.fetch_all(reader.connection()).await?)
}

/// The contexts that an address is part of. They are sealed: it is found by its keyed hash.
async fn contexts(reader: &mut TenantReader<'_>, ip: &str) -> Result<Vec<Uuid>, ReadError> {
    let ip = ClientContext::ip_key(ip).ok_or_else(|| ReadError::invalid("ip", "invalid_value"))?;
    // Or an address could be guessed at, one by one.
    if reader.clearance() < DataClass::Confidential {
        return Ok(Vec::new());
    }
    let organization = reader.organization();
    let hash = reader.keys().lookup_hash(organization, ClientContext::IP_LOOKUP, &ip).await?;
    Ok(sqlx::query_scalar(statements::CONTEXTS).bind(organization.0).bind(hash.as_slice()).fetch_all(reader.connection()).await?)
}
