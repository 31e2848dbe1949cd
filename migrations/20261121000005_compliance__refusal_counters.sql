-- Refusals of callers whose name is not known are counted, not recorded: no stranger can grow the log.
-- The rows belong to the platform, not to a tenant, and are deleted after 90 days.
CREATE TABLE gate_refusal_counters (
    minute timestamptz NOT NULL,
    -- /24 for IPv4, /48 for IPv6, or `other` where one node met too many networks at once.
    network text NOT NULL,
    route text NOT NULL,
    code text NOT NULL,
    refusals bigint NOT NULL CHECK (refusals > 0),
    PRIMARY KEY (minute, network, route, code)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON gate_refusal_counters TO palmares_committer;
