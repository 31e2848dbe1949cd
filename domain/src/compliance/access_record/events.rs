//! What the access record of a user holds.

use super::commands::{Filters, HttpMethod};
use crate::{
    events,
    identity::RoleRef,
    kernel::{Code, DataClass, OrganizationId, UserId},
};
use uuid::Uuid;

events! {
    /// What the access record of a user holds.
    pub enum AccessRecordEvent {
        /// The gate refused an authenticated caller.
        AccessRefused = "compliance.access_refused" v 1 {
            user_id: UserId = internal,
            code: Code = internal,
            method: HttpMethod = internal,
            /// The pattern of the route, such as `/api/v1/users/{id}`, never the path itself.
            route: String = internal,
            status: u16 = internal,
            request_id: Uuid = internal,
            /// The person at whom it was aimed, where it was one.
            subject_id: Option<UserId> = internal,
            /// The ids that the path named, in their order.
            target_ids: Option<Vec<Uuid>> = internal,
            /// The role that was reached for.
            role: Option<RoleRef> = internal,
            /// The organization that was reached for, where that is not the caller's own.
            attempted_id: Option<OrganizationId> = internal,
        },
        /// Someone read data of class CONFIDENTIAL or above, looked into another organization, or set
        /// the machinery going, such as a rebuild.
        SensitiveDataRead = "compliance.sensitive_data_read" v 1 {
            user_id: UserId = internal,
            route: String = internal,
            permission: String = internal,
            data_class: DataClass = internal,
            /// Whose data, where it was one person's.
            subject_id: Option<UserId> = internal,
            /// Whose personal data was shown, where it was somebody else's than that person's.
            subjects: Option<Vec<UserId>> = internal,
        },
        /// Someone took history out, as an export or as a stream.
        DataExported = "compliance.data_exported" v 1 {
            user_id: UserId = internal,
            route: String = internal,
            /// It holds what stands behind this position.
            from_position: i64 = internal,
            filters: Filters = internal,
        },
        /// An export that left nothing of the organization's history out was handed over to its end.
        WholeLogExported = "compliance.whole_log_exported" v 1 {
            user_id: UserId = internal,
            /// Where it is on record that they took it out.
            exported_position: i64 = internal,
            size_bytes: i64 = internal,
        }
    }
}
