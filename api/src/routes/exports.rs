//! What people take out of what is recorded of them.

use crate::{
    pipeline::{
        Route, Services,
        command::Prepare,
        route::Verb,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use age::secrecy::{ExposeSecret, SecretString};
use anyhow::Context;
use futures::{StreamExt, stream};
use palmares_commands::{
    compliance::{self, RequestExport},
    engine::Answer,
};
use palmares_domain::{
    compliance::subject_export::{Export, ExportStatus, SubjectExport},
    kernel::{Admitted, Code, ExportId, Tenant, UserId},
};
use palmares_projections::{
    compliance::{
        privacy_center::GetPrivacyCenter,
        subject_exports::{GetExport, ListExports, export_file},
    },
    engine::Readers,
};
use serde::Deserialize;
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<GetPrivacyCenter>("/me/privacy", "compliance.privacy.read").before_consent(),
    Route::prepared::<RequestExport, SealedToOneself>(Verb::Post, "/me/exports").starting("/me/exports", "id").before_consent(),
    Route::get::<ListExports>("/me/exports", "compliance.subject_export.read").before_consent(),
    Route::get::<GetExport>("/me/exports/{export_id}", "compliance.subject_export.read").before_consent(),
    Route::stream::<DownloadExport>("/me/exports/{export_id}/download", "compliance.subject_export.download")
        .before_consent()
        .needing_proof(),
];

/// The field of the first answer that shows a key which was made.
pub(super) const IDENTITY: &str = "identity";

/// The secret half of a key that is made where no recipient is given; the recipient is its public half then.
///
/// # Errors
/// A recipient that is no key.
pub(super) fn made_for(recipient: &mut Option<String>) -> Result<Option<SecretString>, Problem> {
    if let Some(recipient) = recipient {
        let known = recipient.parse::<age::x25519::Recipient>();
        return known.map(|_| None).map_err(|_| Problem::invalid_field("recipient", "compliance.recipient_invalid"));
    }
    let identity = age::x25519::Identity::generate();
    *recipient = Some(identity.to_public().to_string());
    Ok(Some(identity.to_string()))
}

/// The answer, with the key where one was made.
pub(super) fn with_identity(identity: Option<SecretString>, answer: Answer) -> Answer {
    match identity {
        Some(identity) => answer.with(IDENTITY, identity.expose_secret()),
        None => answer,
    }
}

/// Makes a key for whoever gave none. Its public half is what the export is sealed to; the secret half is
/// shown with the first answer, and nobody keeps it.
pub struct SealedToOneself;

impl Prepare<RequestExport> for SealedToOneself {
    type Shown = Option<SecretString>;
    const FIELD: Option<&'static str> = Some(IDENTITY);

    async fn prepare(mut operation: RequestExport, _: Tenant, _: &Services) -> Result<(RequestExport, Self::Shown), Problem> {
        let identity = made_for(&mut operation.recipient)?;
        Ok((operation, identity))
    }

    fn show(identity: Self::Shown, _: Tenant, answer: Answer) -> Answer {
        with_identity(identity, answer)
    }
}

/// Downloads an export of one's own, sealed as it was asked for, after showing once more who one is:
/// `POST /me/step-up` gives the proof that goes into `Palmares-Proof`. Every download is recorded.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DownloadExport {
    user_id: UserId,
    export_id: ExportId,
}

impl Streaming for DownloadExport {
    const MEDIA_TYPE: &'static str = "application/octet-stream";

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        let now = services.engine.now();
        let status = |export: &SubjectExport| {
            let own = export.export().is_some_and(|export| export.user_id == self.user_id);
            export.status_at(now).filter(|_| own)
        };
        match services.engine.look(tenant.organization(), self.export_id, status).await? {
            None => Err(Problem::new(Code::ResourceNotFound, "compliance.export_not_found")),
            Some(ExportStatus::Ready | ExportStatus::Downloaded) => Ok(0),
            Some(ExportStatus::Expired) => Err(Problem::new(Code::Conflict, "compliance.export_expired")),
            Some(ExportStatus::Failed) => Err(Problem::new(Code::Conflict, "compliance.export_failed")),
            Some(ExportStatus::Requested | ExportStatus::Building) => Err(Problem::new(Code::Conflict, "compliance.export_not_ready")),
        }
    }

    /// The end says what it is once it is opened, and that age opens it.
    async fn file_name(&self, tenant: Tenant, services: &Services) -> Result<Option<String>, Problem> {
        let named = |export: &SubjectExport| export.export().map(file_name);
        Ok(services.engine.look(tenant.organization(), self.export_id, named).await?)
    }

    fn open(admitted: Admitted<Self>, _: Stretch, services: &Services) -> Bytestream {
        let (engine, readers) = (services.engine.clone(), services.readers.clone());
        let file = async move {
            let (tenant, Self { user_id, export_id }) = (admitted.tenant(), *admitted.value());
            engine.execute(admitted.map(|_| compliance::DownloadExport { export_id, user_id })).await?;
            file(&readers, tenant, export_id).await
        };
        stream::once(file).boxed()
    }
}

/// A span of the audit log is a signed document around its table.
fn file_name(export: &Export) -> String {
    let (what, end) = if export.schedule_id.is_some() { ("audit-log", "json") } else { ("personal-data", export.format.name()) };
    format!("{what}-{}.{end}.age", export.export_id)
}

async fn file(readers: &Readers, tenant: Tenant, export: ExportId) -> anyhow::Result<bytes::Bytes> {
    let mut reader = readers.open(tenant, None).await?;
    export_file(&mut reader, export).await?.map(Into::into).context("the file of an export is gone")
}
