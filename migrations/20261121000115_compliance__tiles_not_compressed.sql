-- Hashes do not compress, and positions are read whole: trying took a fifth of what a seal costs PostgreSQL.
ALTER TABLE proof_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL, ALTER COLUMN positions SET STORAGE EXTERNAL;
ALTER TABLE proof_edges ALTER COLUMN hashes SET STORAGE EXTERNAL, ALTER COLUMN positions SET STORAGE EXTERNAL;
ALTER TABLE proof_root_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
ALTER TABLE proof_root_edges ALTER COLUMN hashes SET STORAGE EXTERNAL;
