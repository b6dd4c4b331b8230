-- How sources are reached. config holds no secret; those are sealed under <home>/secret.key, bound to the id.
CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('postgres', 'mysql', 'sqlite', 'odbc', 's3', 'http')),
    config TEXT NOT NULL,
    -- The names of the members that are in `secrets`, to be shown without the key
    secrets_set TEXT NOT NULL DEFAULT '[]',
    secrets BLOB,
    last_test TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((secrets IS NULL) = (secrets_set = '[]'))
) STRICT, WITHOUT ROWID;
CREATE INDEX ingest_jobs_by_connection ON layer_centric_ingest_jobs (connection_id) WHERE connection_id IS NOT NULL;
