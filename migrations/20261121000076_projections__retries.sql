-- Parked events that a reactor is asked to take again.
ALTER TABLE parked_events ADD COLUMN retry_at timestamptz;
CREATE INDEX parked_events_retry ON parked_events (name, position) WHERE retry_at IS NOT NULL;

-- Who serves the API writes as the committer, and may ask and no more.
GRANT SELECT (name, slot, retry_at), UPDATE (retry_at) ON parked_events TO palmares_committer;
GRANT SELECT (kind) ON checkpoints TO palmares_committer;
CREATE POLICY committer ON parked_events TO palmares_committer USING (true) WITH CHECK (true);
