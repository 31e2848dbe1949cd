-- By what the sealer knows that this system recorded an event: a keyed hash of each batch, at its last event. It is no
-- part of the event, so the log does not show it.
ALTER TABLE events ADD COLUMN voucher bytea;

-- What nobody vouched for, and somebody who holds the keys took into the log after all.
CREATE TABLE log_admissions (
    first bigint PRIMARY KEY,
    last bigint NOT NULL CHECK (last >= first),
    voucher bytea NOT NULL,
    reason text NOT NULL,
    admitted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER log_admissions_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_admissions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON log_admissions TO palmares_relay;
GRANT SELECT, INSERT ON log_admissions TO palmares_committer;
