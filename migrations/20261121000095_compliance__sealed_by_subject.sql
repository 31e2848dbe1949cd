-- What was sealed for one subject is found without reading everything that was ever sealed.
--
-- Blocks of pages with the subjects in them, as Bloom filters: an append writes nothing into these indexes (what is
-- new is taken in behind it, by autovacuum), where an index of rows would cost it half of what the row costs. They
-- may name a block too many, never one too few.
CREATE INDEX event_sealed_subject ON event_sealed
    USING brin (subject_id uuid_bloom_ops (n_distinct_per_range = -0.5, false_positive_rate = 0.01))
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX client_contexts_subject ON client_contexts
    USING brin (subject_id uuid_bloom_ops (n_distinct_per_range = -0.5, false_positive_rate = 0.01))
    WITH (pages_per_range = 32, autosummarize = on);
-- What an erasure has destroyed, which row security asks of every row that it deletes.
CREATE INDEX data_keys_erasure ON data_keys (erasure_id) WHERE erasure_id IS NOT NULL;
