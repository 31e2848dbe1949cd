//! Compliance: who did what.

use crate::pipeline::Route;
use palmares_projections::compliance::audit_trail::ListAuditLogs;

pub const ROUTES: &[Route] = &[Route::get::<ListAuditLogs>("/audit-logs", "compliance.audit_log.read")];
