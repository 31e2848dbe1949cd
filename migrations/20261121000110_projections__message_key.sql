-- By this key, relay and feeds tell messages of their own from those of whoever else reaches NATS. It is made here,
-- stays here, and is read by nobody else.
CREATE TABLE message_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key bytea NOT NULL CHECK (length(key) = 32)
);
INSERT INTO message_key (key) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
ALTER TABLE message_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY relay ON message_key FOR SELECT TO palmares_relay USING (true);
GRANT SELECT ON message_key TO palmares_relay;
