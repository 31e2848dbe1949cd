-- Rebuilds that were asked for. Any node that serves the API writes one; a worker runs it.
--
-- What makes a rebuild exclusive is the claim of the idle slot (checkpoints), not this table: a
-- request stays open until a rebuild of its projection swaps the slots or fails for good, and a
-- worker that dies in between leaves it to the next one.
CREATE TABLE rebuild_requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    -- Of the attempt that is under way or was the last one.
    started_at timestamptz,
    -- Without an error it is done.
    ended_at timestamptz,
    error text CHECK (error IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX rebuild_requests_open ON rebuild_requests (name) WHERE ended_at IS NULL;

-- Who serves the API writes as the committer, and may ask and no more: readers write nothing.
GRANT INSERT (name) ON rebuild_requests TO palmares_committer;
GRANT SELECT (name, active, status, lease_until) ON checkpoints TO palmares_committer;
GRANT SELECT, UPDATE ON rebuild_requests TO palmares_projector;
GRANT SELECT ON rebuild_requests TO palmares_relay;
