//! From where: the client contexts of a page, opened.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::kernel::{ClientContext, Place};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const ORIGINS: &str = "SELECT id, subject_id, ciphertext FROM client_contexts WHERE organization_id = $1 AND id = ANY($2)";

/// Where a request came from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Origin {
    pub ip: String,
    pub user_agent: Option<String>,
}

/// The origins of `contexts` that can still be read.
pub(crate) async fn open(reader: &mut TenantReader<'_>, contexts: &[Uuid]) -> Result<BTreeMap<Uuid, Origin>, ReadError> {
    let organization = reader.organization();
    let query = sqlx::query_as(ORIGINS).bind(organization.0).bind(contexts);
    let rows: Vec<(Uuid, Uuid, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
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
