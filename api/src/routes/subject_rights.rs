//! The rights of people over their data: what they agreed to, what they ask for, and what is done about a breach.

use crate::pipeline::Route;
use palmares_commands::compliance::{
    AssessBreach, CloseBreach, DescribeBreach, ExtendSubjectRequest, FulfilSubjectRequest, GiveConsent, InformSubjects, NotifyAuthority,
    OpenBreach, PublishLegalDocument, ReceiveSubjectRequest, RefuseSubjectRequest, RequestAnswerExport, RevokeConsent, TakeSubjectRequest,
    WaiveNotification, WithdrawSubjectRequest,
};
use palmares_projections::compliance::{
    breaches::{GetBreach, ListBreaches},
    consents::{GetConsentReceipt, UserConsents},
    legal_documents::{GetLegalDocument, ListLegalDocuments},
    subject_requests::{GetSubjectRequest, ListSubjectRequests},
};

/// A document of 100,000 bytes, each of which may take six in JSON.
const DOCUMENT_BODY_MAX_BYTES: usize = 640 * 1024;

pub const ROUTES: &[Route] = &[
    Route::post::<PublishLegalDocument>("/legal-documents")
        .creating("/legal-documents", "id")
        .body_up_to(DOCUMENT_BODY_MAX_BYTES)
        .before_consent(),
    Route::get::<ListLegalDocuments>("/legal-documents", "compliance.legal_document.read").before_consent(),
    Route::get::<GetLegalDocument>("/legal-documents/{document_id}", "compliance.legal_document.read").before_consent(),
    Route::post::<GiveConsent>("/consents").before_consent(),
    Route::patch::<RevokeConsent>("/consents/{consent_id}/revoke").before_consent(),
    Route::get::<GetConsentReceipt>("/consents/{consent_id}/receipt", "compliance.consent.read").before_consent(),
    Route::get::<GetConsentReceipt>("/me/consents/{consent_id}/receipt", "compliance.consent.read").alias().before_consent(),
    Route::get::<UserConsents>("/users/{user_id}/consents", "compliance.consent.read"),
    Route::get::<UserConsents>("/me/consents", "compliance.consent.read").alias().before_consent(),
    Route::post::<ReceiveSubjectRequest>("/subject-requests").creating("/subject-requests", "id"),
    Route::post::<ReceiveSubjectRequest>("/me/subject-requests").creating("/me/subject-requests", "id").alias().before_consent(),
    Route::post::<WithdrawSubjectRequest>("/me/subject-requests/{request_id}/withdraw").before_consent(),
    Route::post::<TakeSubjectRequest>("/subject-requests/{request_id}/take"),
    Route::post::<ExtendSubjectRequest>("/subject-requests/{request_id}/extend"),
    Route::post::<RequestAnswerExport>("/subject-requests/{request_id}/exports"),
    Route::post::<FulfilSubjectRequest>("/subject-requests/{request_id}/fulfil"),
    Route::post::<RefuseSubjectRequest>("/subject-requests/{request_id}/refuse"),
    Route::get::<ListSubjectRequests>("/subject-requests", "compliance.subject_request.read"),
    Route::get::<GetSubjectRequest>("/subject-requests/{request_id}", "compliance.subject_request.read"),
    Route::get::<GetSubjectRequest>("/me/subject-requests/{request_id}", "compliance.subject_request.read").alias().before_consent(),
    Route::post::<OpenBreach>("/breaches").creating("/breaches", "id"),
    Route::post::<AssessBreach>("/breaches/{breach_id}/assess"),
    Route::post::<DescribeBreach>("/breaches/{breach_id}/describe"),
    Route::post::<NotifyAuthority>("/breaches/{breach_id}/notify-authority"),
    Route::post::<WaiveNotification>("/breaches/{breach_id}/waive"),
    Route::post::<InformSubjects>("/breaches/{breach_id}/inform-subjects"),
    Route::post::<CloseBreach>("/breaches/{breach_id}/close"),
    Route::get::<ListBreaches>("/breaches", "compliance.breach.read"),
    Route::get::<GetBreach>("/breaches/{breach_id}", "compliance.breach.read"),
    Route::get::<ListSubjectRequests>("/me/subject-requests", "compliance.subject_request.read").alias().before_consent(),
];
