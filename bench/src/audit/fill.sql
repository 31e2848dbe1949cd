-- An organization with {rows} entries in its audit log, and two small ones beside it. Everything follows
-- from the number of a row, so that two runs fill the same. Indexes are made when the rows are there.
--
-- The first twentieth of the log is an import, as organizations begin with: what only happened then lies
-- far behind the newest page, which is where a search for it would begin.

CREATE SCHEMA bench_audit;

CREATE FUNCTION bench_audit.organization(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n % 200 = 0 THEN '{second}'::uuid WHEN n % 200 = 100 THEN '{third}'::uuid ELSE '{organization}'::uuid END;
-- Evenly between 0 and 1, of another kind each time.
CREATE FUNCTION bench_audit.draw(n bigint, kind bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashint8extended(n, kind) & 9007199254740991) / 9007199254740992.0;
CREATE FUNCTION bench_audit.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN md5(kind || n)::uuid;

-- What happens, how often: events, permissions, targets and names of the catalogue.
CREATE TABLE bench_audit.kinds (kind int PRIMARY KEY, per_million int, event_type text, action text, stream_type text, audit_name text);
INSERT INTO bench_audit.kinds VALUES
    (0, 280000, 'points.hold_placed', 'points.hold.place', 'points_program', NULL),
    (1, 210000, 'points.hold_posted', 'points.hold.post', 'points_program', NULL),
    (2, 120000, 'points.credit_accepted', 'points.credit.create', 'points_program', NULL),
    (3, 120000, 'points.credit_resolved', 'system.resolve_credits', 'points_program', NULL),
    (4, 70000, 'points.hold_voided', 'points.hold.void', 'points_program', NULL),
    (5, 60000, 'challenges.activity_recorded', 'challenges.activity.record', 'activity_day', NULL),
    (6, 40000, 'identity.session_started', 'identity.session.start', 'session', NULL),
    (7, 30000, 'identity.session_ended', 'identity.session.end', 'session', NULL),
    (8, 25000, 'compliance.sensitive_data_read', 'identity.user.read', 'access_record', NULL),
    (9, 5000, 'compliance.sensitive_data_read', 'identity.session.read', 'access_record', 'SESSION_VIEWED'),
    (10, 8000, 'compliance.access_refused', 'identity.session.start', 'access_record', 'LOGIN_FAILED'),
    (11, 4000, 'compliance.access_refused', 'points.hold.place', 'access_record', NULL),
    (12, 12000, 'points.floor_changed', 'points.program.change', 'points_program', NULL),
    (13, 9000, 'identity.user_created', 'identity.user.create', 'user', NULL),
    (14, 3000, 'identity.user_suspended', 'identity.user.suspend', 'user', NULL),
    (15, 2000, 'identity.role_assigned', 'identity.role.assign', 'user', 'ROLE_CHANGED'),
    (16, 1200, 'identity.role_unassigned', 'identity.role.assign', 'user', 'ROLE_CHANGED'),
    (17, 500, 'compliance.data_exported', 'compliance.export.create', 'subject_export', 'DATA_EXPORTED'),
    (18, 200, 'identity.user_soft_deleted', 'identity.user.delete', 'user', 'USER_DELETED'),
    (19, 70, 'identity.totp_disabled', 'identity.mfa.disable', 'second_factor', 'MFA_DISABLED'),
    (20, 25, 'identity.role_composed', 'identity.role.compose', 'role_catalogue', 'ROLE_CHANGED'),
    (21, 5, 'organizations.organization_suspended', 'organizations.organization.suspend', 'organization', 'ORG_SUSPENDED'),
    (22, 0, 'identity.user_created', 'system.run_imports', 'user', NULL);
-- A kind for each of 200,000 equal parts.
CREATE TABLE bench_audit.parts AS
    SELECT part::int, (SELECT kind FROM (SELECT kind, sum(per_million) OVER (ORDER BY kind) AS upto FROM bench_audit.kinds) k
                       WHERE part * 5 < upto ORDER BY kind LIMIT 1) AS kind
    FROM generate_series(0, 199999) part;
CREATE UNIQUE INDEX ON bench_audit.parts (part) INCLUDE (kind);
ANALYZE bench_audit.parts, bench_audit.kinds;

-- Words that describe entries: 2,000 sets for each kind, of which few make up most.
INSERT INTO compliance_audit_texts_a (organization_id, text_id, text)
    SELECT '{organization}', bench_audit.id('text', kind * 2000 + v),
        concat_ws(' ', 'area-' || v % 50, event_type, action, lower(audit_name), 'note-' || v, 'role.' || role, role, stream_type)
    FROM bench_audit.kinds, generate_series(0, 1999) v,
        LATERAL (SELECT (ARRAY['member', 'organization_admin', 'compliance_officer', 'team_lead'])[1 + v % 4] AS role) r;

-- Three for each person. One in three is of one of 20 offices, behind whose addresses many are.
INSERT INTO client_contexts (organization_id, id, subject_id, ciphertext, ip_hash)
    SELECT '{organization}', bench_audit.id('context', c), bench_audit.id('actor', c / 3), '\x00',
        sha256(convert_to(CASE WHEN c % 3 = 0 THEN '10.0.0.' || c / 3 % 20 ELSE '10.1.' || c / 256 || '.' || c % 256 END, 'UTF8'))
    FROM generate_series(0, 59999) c;

-- A page shows what events changed, for which it reads their streams: about 100 versions each.
INSERT INTO streams SELECT k, bench_audit.organization(k), 'points_program', bench_audit.id('stream', k)
    FROM generate_series(1, {streams}) k;

ALTER TABLE compliance_audit_log_slots DETACH PARTITION compliance_audit_log_a;
-- split
INSERT INTO events
    SELECT n, bench_audit.organization(k), k, (n - 1) / {streams} + 1, bench_audit.id('event', n), '{organization}',
        now(), NULL, 1, 'points.floor_changed',
        convert_to('{"program_id":"' || bench_audit.id('stream', k) || '","floor":' || -(n % 100) || '}', 'UTF8'), '{}'
    FROM generate_series(1::bigint, {total}) n, LATERAL (SELECT (n - 1) % {streams} + 1 AS k OFFSET 0) s;
-- split
INSERT INTO compliance_audit_log_a (organization_id, position, recorded_at, event_type, action, outcome, actor_id, stream_type,
        stream_id, correlation_id, causation_id, request_id, client_context_id, event_id, audit_name, session_id, subject_id,
        text_id, number)
    SELECT bench_audit.organization(d.k), n, '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => n * 31536000.0 / {total}),
        k.event_type, k.action, CASE WHEN k.kind IN (10, 11) THEN 'refused' ELSE 'recorded' END, bench_audit.id('actor', a.actor),
        k.stream_type,
        CASE k.stream_type WHEN 'points_program' THEN bench_audit.id('stream', d.k)
            WHEN 'user' THEN bench_audit.id('actor', (20000 * bench_audit.draw(n, 3))::bigint)
            ELSE bench_audit.id(k.stream_type, (50000 * bench_audit.draw(n, 3))::bigint) END,
        bench_audit.id('request', n / 2), CASE WHEN a.actor < 0 THEN bench_audit.id('event', n - 1) END, bench_audit.id('request', n / 2),
        CASE WHEN a.actor >= 0 THEN bench_audit.id('context', a.actor * 3 + n % 3) END, bench_audit.id('event', n), k.audit_name,
        CASE WHEN a.actor >= 0 THEN bench_audit.id('session', a.actor * 1000 + n * 365 / {total}) END,
        CASE WHEN k.kind IN (8, 9) THEN bench_audit.id('actor', (20000 * power(bench_audit.draw(n, 4), 2))::bigint) END,
        bench_audit.id('text', k.kind * 2000 + (2000 * power(bench_audit.draw(n, 5), 3))::bigint % 2000), n
    FROM generate_series(1::bigint, {total}) g(n)
        CROSS JOIN LATERAL (SELECT (n - 1) % {streams} + 1 AS k, (20000 * power(bench_audit.draw(n, 1), 3))::bigint % 20000 AS actor,
            n <= {total} / 20 AND bench_audit.draw(n, 6) < 0.6 AS imported OFFSET 0) d
        JOIN bench_audit.parts p ON p.part = (199999 * bench_audit.draw(n, 2))::int
        JOIN bench_audit.kinds k ON k.kind = CASE WHEN d.imported THEN 22 ELSE p.kind END
        -- Who left after a fifth of the time: people from 15,000 on.
        CROSS JOIN LATERAL (SELECT CASE WHEN k.action LIKE 'system.%' THEN -1
            WHEN d.actor >= 15000 AND n > {total} / 5 THEN d.actor - 10000 ELSE d.actor END AS actor OFFSET 0) a;
-- Whom entries concern: who was read, and of every tenth other entry whose account it is.
INSERT INTO compliance_subject_index_a (organization_id, subject_id, position, concerned)
    SELECT organization_id, coalesce(subject_id, bench_audit.id('actor', position % 20000)), position, true
    FROM compliance_audit_log_a JOIN generate_series(1::bigint, {total}) n ON n = position
    WHERE subject_id IS NOT NULL OR n % 10 = 0;
