//! What version 1.9.0 of the Open Cybersecurity Schema Framework says of the classes that we send, and of the
//! objects in them: attributes without those of profiles, which we do not apply. None of them has a constraint of
//! the kind `just_one`.

use super::{API_ACTIVITY, AUTHENTICATION, AUTHORIZE_SESSION, DETECTION_FINDING, ENTITY_MANAGEMENT, ROLE_MANAGEMENT, USER_MANAGEMENT};

/// A class or an object; names are separated by blanks.
pub struct Shape {
    pub name: &'static str,
    pub required: &'static str,
    pub attributes: &'static str,
    /// One of them has to be there, where there are any.
    pub at_least_one: &'static str,
}

/// What every class has.
pub const BASE: Shape = Shape {
    name: "base_event",
    required: "activity_id category_uid class_uid metadata severity_id time type_uid",
    attributes: "activity_id activity_name category_name category_uid class_name class_uid count duration end_time enrichments message \
        metadata observables raw_data raw_data_hash raw_data_size severity severity_id start_time status status_code \
        status_detail status_id time timezone_offset type_name type_uid unmapped",
    at_least_one: "",
};

/// Each class with its last activity, and what it has beside [`BASE`].
pub const CLASSES: &[(u32, u32, Shape)] = &[
    (
        DETECTION_FINDING,
        3,
        Shape {
            name: "detection_finding",
            required: "finding_info",
            attributes: "anomaly_analyses comment confidence confidence_id confidence_score device evidences finding_info impact impact_id \
            impact_score is_alert malware malware_scan_info notes remediation resources risk_details risk_level risk_level_id \
            risk_score vendor_attributes vulnerabilities",
            at_least_one: "",
        },
    ),
    (
        AUTHENTICATION,
        7,
        Shape {
            name: "authentication",
            required: "user",
            attributes: "account_switch_type account_switch_type_id actor auth_factors auth_protocol auth_protocol_id authentication_token \
            certificate dst_endpoint http_request http_response is_cleartext is_mfa is_new_logon is_remote logon_process \
            logon_type logon_type_id service session src_endpoint user",
            at_least_one: "service dst_endpoint",
        },
    ),
    (
        AUTHORIZE_SESSION,
        3,
        Shape {
            name: "authorize_session",
            required: "user",
            attributes: "actor dst_endpoint group groups http_request http_response iam_roles privileges session src_endpoint user",
            at_least_one: "privileges groups iam_roles",
        },
    ),
    (
        ENTITY_MANAGEMENT,
        13,
        Shape {
            name: "entity_management",
            required: "entity",
            attributes: "access_list access_mask actor comment entity entity_result http_request http_response src_endpoint updated_entity",
            at_least_one: "",
        },
    ),
    (
        USER_MANAGEMENT,
        19,
        Shape {
            name: "user_management",
            required: "user",
            attributes: "actor auth_factors http_request http_response iam_roles policies privileges resources src_endpoint updated_user user",
            at_least_one: "",
        },
    ),
    (
        ROLE_MANAGEMENT,
        11,
        Shape {
            name: "role_management",
            required: "iam_role",
            attributes: "actor http_request http_response iam_role policies privileges programmatic_credentials resources src_endpoint \
            updated_role",
            at_least_one: "",
        },
    ),
    (
        API_ACTIVITY,
        4,
        Shape {
            name: "api_activity",
            required: "actor api src_endpoint",
            attributes: "actor api dst_endpoint http_request http_response resources src_endpoint",
            at_least_one: "",
        },
    ),
];

/// Objects by the attribute in which they stand.
pub const OBJECTS: &[(&str, Shape)] = &[
    (
        "actor",
        Shape {
            name: "actor",
            required: "",
            attributes: "app_name app_uid authorizations iam_role idp invoked_by process session user",
            at_least_one: "process user iam_role invoked_by session app_name app_uid",
        },
    ),
    (
        "api",
        Shape {
            name: "api",
            required: "operation",
            attributes: "group operation request response service token version",
            at_least_one: "",
        },
    ),
    (
        "entity",
        Shape {
            name: "managed_entity",
            required: "",
            attributes: "data device email group location name org policy type type_id uid uid_numeric user version",
            at_least_one: "name uid device group org policy user",
        },
    ),
    (
        "evidences",
        Shape {
            name: "evidences",
            required: "",
            attributes: "actor ai_agent api connection_info container data database databucket device dst_endpoint email file http_request \
            http_response ja4_fingerprint_list job name process query resources script src_endpoint tls uid uid_numeric url user \
            verdict verdict_id",
            at_least_one: "actor api connection_info data database databucket device dst_endpoint email file process query resources src_endpoint \
            url user job script",
        },
    ),
    (
        "finding_info",
        Shape {
            name: "finding_info",
            required: "uid",
            attributes: "analytic attack_graph attacks created_time data_sources desc first_seen_time kill_chain last_seen_time modified_time \
            product product_uid related_analytics related_events related_events_count src_url tags title traits types uid uid_alt",
            at_least_one: "",
        },
    ),
    (
        "groups",
        Shape {
            name: "group",
            required: "",
            attributes: "desc domain name privileges type uid uid_alt uid_numeric",
            at_least_one: "name uid",
        },
    ),
    (
        "http_request",
        Shape {
            name: "http_request",
            required: "",
            attributes: "args body_length http_headers http_method length referrer uid url user_agent version x_forwarded_for",
            at_least_one: "",
        },
    ),
    (
        "iam_role",
        Shape {
            name: "iam_role",
            required: "",
            attributes: "account name policies privileges programmatic_credentials resources session uid uid_alt uid_numeric",
            at_least_one: "name uid",
        },
    ),
    (
        "metadata",
        Shape {
            name: "metadata",
            required: "product version",
            attributes: "correlation_uid debug event_code extension extensions is_truncated labels log_format log_level log_name log_provider \
            log_source log_version logged_time loggers modified_time original_event_uid original_time processed_time product \
            profiles reporter sequence source tags tenant_uid total_queued_duration transformation_info_list transmit_time type \
            uid untruncated_size version",
            at_least_one: "",
        },
    ),
    (
        "product",
        Shape {
            name: "product",
            required: "",
            attributes: "cpe_name feature lang name path uid uid_numeric url_string vendor_name version",
            at_least_one: "name uid",
        },
    ),
    (
        "resources",
        Shape {
            name: "resource_details",
            required: "",
            attributes: "agent_list created_time criticality data group hostname ip is_backed_up labels modified_time name namespace owner \
            resource_relationship role role_id tags type uid uid_alt uid_numeric version",
            at_least_one: "name uid",
        },
    ),
    ("service", Shape { name: "service", required: "", attributes: "labels name tags uid uid_numeric version", at_least_one: "name uid" }),
    (
        "session",
        Shape {
            name: "session",
            required: "",
            attributes: "count created_time credential_uid expiration_reason expiration_time is_mfa is_remote is_vpn issuer terminal uid \
            uid_alt uuid",
            at_least_one: "",
        },
    ),
    (
        "src_endpoint",
        Shape {
            name: "network_endpoint",
            required: "",
            attributes: "agent_list autonomous_system domain fingerprints hostname hw_info instance_uid interface_name interface_uid \
            intermediate_ips ip isp isp_org location mac mac_vendor name network_scope network_scope_id os owner pool port \
            proxy_endpoint subnet_uid svc_name type type_id uid uid_numeric vlan_uid vpc_uid zone",
            at_least_one: "ip uid name hostname svc_name instance_uid interface_uid interface_name domain",
        },
    ),
    (
        "user",
        Shape {
            name: "user",
            required: "",
            attributes: "account credential_uid display_name domain email_addr forward_addr full_name groups has_mfa ldap_person name org \
            phone_number programmatic_credentials risk_level risk_level_id risk_score type type_id uid uid_alt uid_numeric",
            at_least_one: "account name uid",
        },
    ),
];
