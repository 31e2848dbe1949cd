//! Refusals and sensitive reads, as events of the acting user's access record.

use super::internal::admit;
use crate::{
    pipeline::{Access, AccessLog, RefusedAccess, SensitiveRead, TakenOut},
    problem,
};
use async_trait::async_trait;
use palmares_commands::{compliance::RecordAccess, engine::Engine};
use palmares_domain::{
    compliance::access_record::{
        AccessRecordCommand, FILTERS_MAX, HttpMethod, RecordExport, RecordRefusal, RecordSensitiveRead, RecordWholeExport, filter_fits,
    },
    kernel::{Admission, Idempotency},
};
use std::sync::Arc;

pub(super) struct EngineAccessLog(pub Arc<Engine>);

impl EngineAccessLog {
    /// Records it, or finds that it was recorded; answers where in the log.
    async fn record(
        &self,
        access: Access,
        policies: Vec<String>,
        idempotency: Option<Idempotency>,
        command: AccessRecordCommand,
    ) -> anyhow::Result<i64> {
        let Access { organization, actor, on_behalf_of, elevation, session, rights, permission, .. } = access;
        let Access { request_id, correlation_id, client, .. } = access;
        let admission = Admission {
            on_behalf_of,
            elevation,
            session,
            rights,
            policies,
            correlation_id,
            client: Some(client),
            idempotency,
            ..Admission::of(organization, actor, permission, request_id)
        };
        Ok(self.0.execute(admit(admission, RecordAccess(command))).await?.position)
    }
}

#[async_trait]
impl AccessLog for EngineAccessLog {
    async fn refused(&self, refusal: RefusedAccess) -> anyhow::Result<()> {
        let RefusedAccess { access, code, reason, policies, aim } = refusal;
        let (method, route) = access.route.split_once(' ').unwrap_or(("", &access.route));
        let record = RecordRefusal {
            user_id: access.actor,
            code,
            method: HttpMethod::of(method),
            route: route.to_owned(),
            status: problem::status(code).as_u16(),
            request_id: access.request_id,
            aim,
        };
        // The stable reason is the gate's own rule, and tells how far the request came.
        let decided = std::iter::once(reason).chain(policies).collect();
        self.record(access, decided, None, AccessRecordCommand::Refusal(record)).await.map(drop)
    }

    async fn sensitive_read(&self, read: SensitiveRead) -> anyhow::Result<i64> {
        let SensitiveRead { access, data_class, subject, shown, export_from, query, policies, repeatable } = read;
        let route = access.route.split_once(' ').map_or(access.route.as_str(), |(_, route)| route).to_owned();
        let user_id = access.actor;
        let record = if let Some(from_position) = export_from {
            // What the record may not hold is left out: the read itself is recorded in any case.
            let filters = query.into_iter().filter(|(name, value)| filter_fits(name, value)).take(FILTERS_MAX).collect();
            AccessRecordCommand::Export(RecordExport { user_id, route, from_position, filters })
        } else {
            let permission = access.permission.to_owned();
            let read = RecordSensitiveRead { user_id, route, permission, data_class, subject_id: subject, subjects: shown };
            AccessRecordCommand::SensitiveRead(read)
        };
        self.record(access, policies, repeatable, record).await
    }

    async fn taken_out(&self, taken: TakenOut) -> anyhow::Result<()> {
        let TakenOut { access, exported_position, size_bytes, policies } = taken;
        let record = RecordWholeExport { user_id: access.actor, exported_position, size_bytes };
        self.record(access, policies, None, AccessRecordCommand::WholeExport(record)).await.map(drop)
    }
}
