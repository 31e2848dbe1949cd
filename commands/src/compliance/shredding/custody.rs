//! Shredding by the custody of keys and the tables beside it.

use super::{Ordered, Shredder};
use crate::privacy::{Custody, PURPOSES, PrivacyError, Subject};
use crate::store::ClaimKey;
use async_trait::async_trait;
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    kernel::{LegalHoldId, OrganizationId, Purpose},
};
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc, time::Instant};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Everybody and every case of whom there ever was a key in an organization, and which of them go last: people of
/// the platform, and cases. That a case is no person is told by its keys, which people have none of.
pub const SUBJECTS: &str = "
    SELECT k.subject_id, bool_or(k.purpose = 'case') OR EXISTS (
        SELECT FROM streams s WHERE s.organization_id = $2 AND s.type = 'user' AND s.id = k.subject_id)
    FROM data_keys k WHERE k.organization_id = $1 GROUP BY k.subject_id";

/// Whether a key of these subjects still stands.
pub const STANDS: &str =
    "SELECT EXISTS (SELECT FROM data_keys WHERE organization_id = $1 AND subject_id = ANY($2) AND wrapped IS NOT NULL)";

pub const HELD_BY: &str = "SELECT subject_id FROM key_holds WHERE organization_id = $1 AND hold_id = $2";

/// What somebody claimed; what everybody did where nobody is named.
pub const CLAIMS: &str = "SELECT key FROM claims WHERE organization_id = $1 AND ($2::uuid IS NULL OR owner = $2)";

/// Keys that stand, ciphertexts beside events, and sealed client contexts, of these subjects and purposes;
/// and what was sealed under a key that this erasure destroyed, whosever it was. `fields` and `contexts`
/// say how rows of the subjects are found.
macro_rules! leftovers {
    ($fields:literal, $contexts:literal) => {
        concat!(
            "SELECT (SELECT count(*) FROM data_keys
                     WHERE organization_id = $1 AND subject_id = ANY($2) AND purpose = ANY($3) AND wrapped IS NOT NULL)
                  + (SELECT count(*) FROM ",
            $fields,
            " WHERE f.organization_id = $1 AND f.purpose = ANY($3))
                  + (SELECT count(*) FROM ",
            $contexts,
            " WHERE c.organization_id = $1 AND 'security' = ANY($3))
                  + (SELECT count(*) FROM data_keys k JOIN event_sealed f USING (organization_id, subject_id, purpose)
                     WHERE k.organization_id = $1 AND k.erasure_id = $4 AND k.subject_id <> ALL($2))
                  + (SELECT count(*) FROM data_keys k JOIN client_contexts c USING (organization_id, subject_id)
                     WHERE k.organization_id = $1 AND k.erasure_id = $4 AND k.subject_id <> ALL($2) AND k.purpose = 'security')"
        )
    };
}

/// Of one subject: by its index.
pub const LEFTOVERS: &str = leftovers!(
    "unnest($2::uuid[]) u(id) JOIN event_sealed f ON f.subject_id = u.id",
    "unnest($2::uuid[]) u(id) JOIN client_contexts c ON c.subject_id = u.id"
);

/// Of everybody of an organization: the tables are read once, and not the index once for each.
pub const LEFTOVERS_OF_ALL: &str = leftovers!(
    "unnest($2::uuid[]) u(id) JOIN (SELECT * FROM event_sealed OFFSET 0) f ON f.subject_id = u.id",
    "unnest($2::uuid[]) u(id) JOIN (SELECT * FROM client_contexts OFFSET 0) c ON c.subject_id = u.id"
);

/// The custody, and connections of role `palmares_committer`.
pub struct CustodyShredder {
    custody: Arc<Custody>,
    pool: PgPool,
    /// When the last rotation of an organization's epoch began. One goes on at a time here.
    rotations: Mutex<HashMap<OrganizationId, Instant>>,
}

impl CustodyShredder {
    pub fn new(custody: Arc<Custody>, pool: PgPool) -> Self {
        Self { custody, pool, rotations: Mutex::default() }
    }

    /// The people whom a deletion is about.
    async fn people(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<People> {
        let rows: Vec<(Uuid, bool)> = match subject {
            DeletionSubject::User(user) => vec![(user.0, false)],
            DeletionSubject::Organization(_) => {
                sqlx::query_as(SUBJECTS).bind(organization.0).bind(OrganizationId::PLATFORM.0).fetch_all(&self.pool).await?
            }
        };
        let (last, own): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, goes_last)| *goes_last);
        let subjects = |rows: Vec<(Uuid, bool)>| rows.into_iter().map(|(id, _)| Subject { organization, id }).collect();
        Ok(People { own: subjects(own), last: subjects(last) })
    }

    /// Whether a key of one of these people is left.
    async fn stands(&self, organization: OrganizationId, people: &[Subject]) -> anyhow::Result<bool> {
        let people: Vec<Uuid> = people.iter().map(|person| person.id).collect();
        Ok(sqlx::query_scalar(STANDS).bind(organization.0).bind(people).fetch_one(&self.pool).await?)
    }
}

/// Of whom an organization has keys. What the platform's people left in it goes last, with what was written about cases:
/// until then they hold, review and read what is kept, and it is on record from where and why.
struct People {
    own: Vec<Subject>,
    last: Vec<Subject>,
}

impl People {
    fn all(self) -> impl Iterator<Item = Subject> {
        self.own.into_iter().chain(self.last)
    }
}

#[async_trait]
impl Shredder for CustodyShredder {
    async fn hide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        for person in self.people(organization, subject).await?.own {
            self.custody.hide(person).await?;
        }
        Ok(())
    }

    async fn unhide(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        for person in self.people(organization, subject).await?.all() {
            self.custody.unhide(person).await?;
        }
        Ok(())
    }

    async fn quarantine(&self, organization: OrganizationId, subject: DeletionSubject, hold: LegalHoldId) -> anyhow::Result<bool> {
        let people: Vec<Subject> = self.people(organization, subject).await?.all().collect();
        for person in &people {
            self.custody.quarantine(*person, hold.0).await?;
        }
        // Looked at behind it: what stands now is not destroyed any more.
        self.stands(organization, &people).await
    }

    async fn release(&self, organization: OrganizationId, hold: LegalHoldId) -> anyhow::Result<()> {
        let held: Vec<Uuid> = sqlx::query_scalar(HELD_BY).bind(organization.0).bind(hold.0).fetch_all(&self.pool).await?;
        for id in held {
            self.custody.release(Subject { organization, id }, hold.0).await?;
        }
        Ok(())
    }

    async fn let_go(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<()> {
        for person in self.people(organization, subject).await?.all() {
            for hold in self.custody.subject_keys(person).await?.holds {
                self.custody.release(person, hold).await?;
            }
        }
        Ok(())
    }

    async fn claims(&self, organization: OrganizationId, subject: DeletionSubject) -> anyhow::Result<Vec<ClaimKey>> {
        let owner = subject.user().map(|user| user.0);
        let keys: Vec<Uuid> = sqlx::query_scalar(CLAIMS).bind(organization.0).bind(owner).fetch_all(&self.pool).await?;
        Ok(keys.into_iter().map(|key| ClaimKey { organization, key }).collect())
    }

    async fn destroy_keys(&self, order: &Ordered) -> anyhow::Result<Option<i64>> {
        let mut destroyed = 0;
        let People { own, last } = self.people(order.organization, order.subject).await?;
        let own = own.into_iter().map(|person| (person, order.purposes.as_slice()));
        let last = last.into_iter().filter(|_| order.purposes.contains(&Purpose::Case)).map(|subject| (subject, PURPOSES.as_slice()));
        for (subject, purposes) in own.chain(last) {
            destroyed += match self.custody.destroy_keys(subject, purposes, order.erasure()).await {
                Err(PrivacyError::UnderLegalHold(_)) => return Ok(None),
                destroyed => destroyed?,
            };
        }
        Ok(Some(i64::try_from(destroyed)?))
    }

    async fn rotate_epoch(&self, order: &Ordered) -> anyhow::Result<i64> {
        let asked = Instant::now();
        let mut begun = self.rotations.lock().await;
        // One that began after these keys were destroyed has left them behind, whoever asked for it.
        if begun.get(&order.organization).is_some_and(|begun| *begun > asked) {
            return Ok(0);
        }
        let now = Instant::now();
        self.custody.rotate_epoch(order.organization).await?;
        begun.insert(order.organization, now);
        Ok(1)
    }

    async fn delete_rows(&self, order: &Ordered) -> anyhow::Result<i64> {
        let mut deleted = 0;
        let People { own, last } = self.people(order.organization, order.subject).await?;
        let own = own.into_iter().map(|person| (person, order.purposes.as_slice()));
        // Of these only what is sealed under keys that this erasure destroyed is deleted.
        for (person, purposes) in own.chain(last.into_iter().map(|person| (person, PURPOSES.as_slice()))) {
            let redacted = self.custody.redact(person, purposes, order.erasure()).await?;
            deleted += redacted.fields + redacted.client_contexts + redacted.snapshots;
        }
        Ok(i64::try_from(deleted)?)
    }

    async fn leftovers(&self, order: &Ordered) -> anyhow::Result<i64> {
        let people: Vec<Uuid> = self.people(order.organization, order.subject).await?.own.into_iter().map(|person| person.id).collect();
        let purposes: Vec<&str> = order.purposes.iter().copied().map(Purpose::name).collect();
        let statement = if order.subject.user().is_some() { LEFTOVERS } else { LEFTOVERS_OF_ALL };
        let query = sqlx::query_scalar(statement).bind(order.organization.0).bind(people).bind(purposes).bind(order.erasure());
        Ok(query.fetch_one(&self.pool).await?)
    }
}
