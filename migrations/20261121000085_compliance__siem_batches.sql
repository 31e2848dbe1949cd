-- How many entries are looked at for the next batch of a stream: fewer, where its sink found a batch too large or took too long.
ALTER TABLE compliance_siem_cursors ADD COLUMN batch_entries integer NOT NULL DEFAULT 100 CHECK (batch_entries > 0);
