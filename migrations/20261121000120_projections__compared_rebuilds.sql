-- What a rebuild found where it took over: the tables that were not what the log says. Null where nothing was compared,
-- because the fold had changed or events were set aside.
ALTER TABLE rebuild_requests ADD COLUMN compared jsonb CHECK (compared IS NULL OR ended_at IS NOT NULL);

-- Of whom nothing can be folded again for now, nothing can be compared.
CREATE POLICY projector ON hidden_subjects FOR SELECT TO palmares_projector USING (true);
GRANT SELECT ON hidden_subjects TO palmares_projector;
