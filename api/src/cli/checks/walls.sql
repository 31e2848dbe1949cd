WITH ours AS (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
), groups AS (
    SELECT * FROM pg_roles WHERE rolname IN ('palmares_reader', 'palmares_committer', 'palmares_projector', 'palmares_relay', 'palmares_eraser')
), lines (object, plain, expression) AS (
    SELECT CASE relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || name,
           concat_ws(' ', 'is', relkind, relrowsecurity, relforcerowsecurity, relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)),
           CASE relkind WHEN 'v' THEN concat(pg_get_viewdef(oid), reloptions) END
    FROM ours
    UNION ALL
    -- Whoever else may read is none of ours to know.
    SELECT CASE o.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || o.name,
           concat_ws(' ', 'grant', a.privilege_type, 'to', coalesce(g.rolname, 'another'), a.is_grantable), NULL
    FROM ours o, aclexplode(o.relacl) a LEFT JOIN groups g ON g.oid = a.grantee
    WHERE a.grantee <> o.relowner AND (g.oid IS NOT NULL OR a.privilege_type <> 'SELECT')
    UNION ALL
    SELECT 'table ' || o.name, concat_ws(' ', 'grant', a.privilege_type, 'of', c.attname, 'to', coalesce(g.rolname, 'another')), NULL
    FROM ours o JOIN pg_attribute c ON c.attrelid = o.oid, aclexplode(c.attacl) a LEFT JOIN groups g ON g.oid = a.grantee
    WHERE a.grantee <> o.relowner AND (g.oid IS NOT NULL OR a.privilege_type <> 'SELECT')
    UNION ALL
    SELECT 'table ' || o.name, concat_ws(' ', 'column', c.attname, format_type(c.atttypid, c.atttypmod), c.attnotnull, c.attgenerated),
           pg_get_expr(d.adbin, d.adrelid)
    FROM ours o JOIN pg_attribute c ON c.attrelid = o.oid AND c.attnum > 0 AND NOT c.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = c.attnum
    WHERE o.relkind <> 'v'
    UNION ALL
    SELECT 'table ' || o.name,
           concat_ws(' ', 'policy', p.polname, p.polcmd, p.polpermissive,
               (SELECT string_agg(coalesce(r.rolname, 'public'), ',' ORDER BY r.rolname) FROM unnest(p.polroles) u(role) LEFT JOIN pg_roles r ON r.oid = u.role)),
           concat_ws(' / ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
    UNION ALL
    SELECT 'table ' || o.name, concat_ws(' ', 'trigger', t.tgname, t.tgenabled, t.tgtype, f.proname), pg_get_triggerdef(t.oid)
    FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid JOIN pg_proc f ON f.oid = t.tgfoid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT CASE o.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || o.name, concat_ws(' ', 'rule', r.rulename, r.ev_enabled), NULL
    FROM ours o JOIN pg_rewrite r ON r.ev_class = o.oid WHERE r.rulename <> '_RETURN'
    UNION ALL
    -- An index that somebody adds makes nothing weaker; a unique one that goes does.
    SELECT 'index ' || i.relname, concat_ws(' ', o.name, x.indisunique, x.indisprimary, x.indisvalid, x.indisready), pg_get_indexdef(i.oid)
    FROM ours o JOIN pg_index x ON x.indrelid = o.oid JOIN pg_class i ON i.oid = x.indexrelid
    UNION ALL
    SELECT 'table ' || o.name, concat_ws(' ', 'check', k.conname, k.convalidated), pg_get_constraintdef(k.oid)
    FROM ours o JOIN pg_constraint k ON k.conrelid = o.oid WHERE k.contype = 'c'
    UNION ALL
    SELECT 'function ' || f.proname,
           concat_ws(' ', md5(f.prosrc), f.prosecdef, f.provolatile, f.proretset, f.proconfig, l.lanname, f.proacl IS NULL
               OR NOT EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee = 0)),
           pg_get_function_sqlbody(f.oid)
    FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
    WHERE f.pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'role ' || rolname, concat_ws(' ', rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolreplication), NULL FROM groups
    UNION ALL
    SELECT 'role ' || m.rolname, 'member of ' || g.rolname, NULL
    FROM groups m JOIN pg_auth_members a ON a.member = m.oid JOIN pg_roles g ON g.oid = a.roleid
)
SELECT object,
       left(encode(sha256(convert_to(string_agg(plain, E'\n' ORDER BY plain COLLATE "C"), 'UTF8')), 'hex'), 16),
       left(encode(sha256(convert_to(coalesce(string_agg(expression, E'\n' ORDER BY expression COLLATE "C"), ''), 'UTF8')), 'hex'), 16)
FROM lines GROUP BY object ORDER BY object COLLATE "C"
