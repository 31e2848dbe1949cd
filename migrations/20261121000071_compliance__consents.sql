-- The documents that people agree to, and what they agreed to. Both keep everything that was: a past
-- answer is the newest row up to a position.
CREATE TABLE compliance_legal_documents_a (
    organization_id uuid NOT NULL,
    document_id uuid NOT NULL,
    consent_type text NOT NULL,
    version text NOT NULL,
    language text NOT NULL,
    digest text NOT NULL,
    -- One of the two.
    content text,
    url text,
    effective_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    published_position bigint NOT NULL,
    PRIMARY KEY (organization_id, document_id)
);
CREATE UNIQUE INDEX compliance_legal_documents_a_text ON compliance_legal_documents_a (organization_id, consent_type, version, language);
CREATE UNIQUE INDEX compliance_legal_documents_a_published ON compliance_legal_documents_a (organization_id, published_position);
SELECT create_read_model('compliance_legal_documents');

-- One row for each time that somebody agreed, agreed anew or took it back.
CREATE TABLE compliance_consents_a (
    organization_id uuid NOT NULL,
    position bigint NOT NULL,
    user_id uuid NOT NULL,
    consent_id uuid NOT NULL,
    consent_type text NOT NULL,
    happened text NOT NULL CHECK (happened IN ('GRANTED', 'RENEWED', 'REVOKED')),
    happened_at timestamptz NOT NULL,
    -- Of what was agreed to; null of what was taken back.
    policy_version text,
    language text,
    document_digest text,
    client_context_id uuid,
    PRIMARY KEY (organization_id, position)
);
CREATE INDEX compliance_consents_a_user ON compliance_consents_a (organization_id, user_id, position);
SELECT create_read_model('compliance_consents');
