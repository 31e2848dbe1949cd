-- When the whole log was last read again and compared with what was signed, and how much was wrong.
ALTER TABLE proof_log ADD COLUMN verified_at timestamptz, ADD COLUMN findings bigint;
GRANT UPDATE (verified_at, findings) ON proof_log TO palmares_relay;
