//! From where: the client contexts of a page, opened.

use crate::engine::{ReadError, Readers, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ClientContext, Place, Tenant, UserId};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const ORIGINS: &str = "SELECT id, subject_id, ciphertext FROM client_contexts WHERE organization_id = $1 AND id = ANY($2)";

/// All of one person, whether or not an event still names them.
pub(super) const OF_SUBJECT: &str = "
    SELECT id, subject_id, ciphertext, created_at FROM client_contexts WHERE organization_id = $1 AND subject_id = $2
    ORDER BY created_at, id";

/// Where a request came from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Origin {
    pub ip: String,
    pub user_agent: Option<String>,
}

/// From where requests of one person came, as that person is told.
#[derive(Clone, Debug, Serialize)]
pub struct OwnOrigin {
    /// As the metadata of events name it, `client_context_id`.
    pub id: Uuid,
    #[serde(flatten)]
    pub origin: Option<Origin>,
    pub first_at: DateTime<Utc>,
    /// It is there and cannot be read, because somebody wrote to the database past the application.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// Every origin of one person's own requests that was not erased, the oldest first.
pub async fn own_origins(readers: &Readers, tenant: Tenant, user: UserId) -> Result<Vec<OwnOrigin>, ReadError> {
    let mut reader = readers.open(tenant, None).await?;
    let query = sqlx::query_as(OF_SUBJECT).persistent(false).bind(reader.organization().0).bind(user.0);
    let rows: Vec<(Uuid, Uuid, Vec<u8>, DateTime<Utc>)> = query.fetch_all(reader.connection()).await?;
    let (sealed, first): (Vec<_>, Vec<_>) = rows.into_iter().map(|(id, subject, sealed, at)| ((id, subject, sealed), at)).unzip();
    let ids: Vec<Uuid> = sealed.iter().map(|(id, ..)| *id).collect();
    let mut opened = opened(&mut reader, &sealed).await?;
    let told = ids.into_iter().zip(first).map(|(id, first_at)| {
        let unreadable = !reader.unreadable(id).is_empty();
        OwnOrigin { id, origin: opened.remove(&id), first_at, unreadable }
    });
    Ok(told.filter(|own| own.origin.is_some() || own.unreadable).collect())
}

/// The origins of `contexts` that can still be read.
pub(crate) async fn open(reader: &mut TenantReader<'_>, contexts: &[Uuid]) -> Result<BTreeMap<Uuid, Origin>, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(ORIGINS).bind(organization.0).bind(contexts);
    let rows: Vec<(Uuid, Uuid, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    opened(reader, &rows).await
}

async fn opened(reader: &mut TenantReader<'_>, rows: &[(Uuid, Uuid, Vec<u8>)]) -> Result<BTreeMap<Uuid, Origin>, ReadError> {
    let organization = reader.organization();
    let place = |subject: &Uuid, id: &Uuid| Place::of_client_context(organization, *subject, *id);
    let items: Vec<_> = rows.iter().map(|(id, subject, ciphertext)| (place(subject, id), ciphertext.as_slice())).collect();
    let opened = reader.keys().open_many(&items).await?;
    let mut origins = BTreeMap::new();
    for ((id, ..), clear) in rows.iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the address.
        let context: ClientContext =
            serde_json::from_slice(&clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("the client context {id} is malformed")))?;
        origins.insert(*id, Origin { ip: context.ip, user_agent: context.user_agent });
    }
    Ok(origins)
}
