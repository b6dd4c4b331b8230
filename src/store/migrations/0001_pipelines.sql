-- Times are microseconds since 1970-01-01 UTC. Members named *_json or listed as JSON in the aggregate's column table hold JSON text.

CREATE TABLE pipelines (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    environment TEXT NOT NULL DEFAULT 'development',
    owner TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    orchestrator TEXT NOT NULL DEFAULT 'auto' CHECK (orchestrator IN ('auto', 'inline', 'prefect')),
    max_parallel_jobs INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE layer_centric_ingest_jobs (
    id TEXT PRIMARY KEY,
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    slug TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    source_type TEXT NOT NULL CHECK (source_type IN ('file_upload', 'file_s3', 'file_local', 'db_query', 'api')),
    format TEXT CHECK (format IN ('csv', 'json', 'parquet')),
    force_to_parquet INTEGER NOT NULL DEFAULT 1 CHECK (force_to_parquet IN (0, 1)),
    dataset TEXT NOT NULL,
    partition_mode TEXT NOT NULL DEFAULT 'date' CHECK (partition_mode IN ('date', 'column', 'none')),
    partition_pattern TEXT,
    filename_pattern TEXT NOT NULL DEFAULT '{timestamp}_{filename}',
    compression TEXT NOT NULL CHECK (compression IN ('none', 'gzip', 'snappy', 'zstd')),
    landing_retention_days INTEGER CHECK (landing_retention_days >= 0),
    schema_mode TEXT NOT NULL DEFAULT 'infer' CHECK (schema_mode IN ('infer', 'user')),
    user_schema TEXT,
    error_handling TEXT NOT NULL DEFAULT 'fail' CHECK (error_handling IN ('fail', 'quarantine')),
    quarantine_path TEXT,
    max_rejects INTEGER CHECK (max_rejects >= 0),
    max_reject_ratio REAL CHECK (max_reject_ratio BETWEEN 0 AND 1),
    dedupe_keys TEXT NOT NULL DEFAULT '[]',
    incremental_mode TEXT NOT NULL DEFAULT 'full' CHECK (incremental_mode IN ('full', 'incremental')),
    watermark_column TEXT,
    last_watermark_value TEXT,
    rename_map TEXT NOT NULL DEFAULT '{}',
    is_reference INTEGER NOT NULL DEFAULT 0 CHECK (is_reference IN (0, 1)),
    null_values TEXT NOT NULL DEFAULT '[]',
    retries INTEGER NOT NULL DEFAULT 0,
    retry_delay_seconds INTEGER NOT NULL DEFAULT 10,
    timeout_seconds INTEGER,
    -- Options of one kind of source: csv_options, path, upload_id; later query, url, ...
    config TEXT NOT NULL DEFAULT '{}',
    connection_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (pipeline_id, name),
    CHECK (error_handling = 'fail' OR quarantine_path IS NOT NULL),
    CHECK (schema_mode = 'infer' OR user_schema IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX ingest_jobs_by_pipeline ON layer_centric_ingest_jobs (pipeline_id, id);

CREATE TABLE dataset_jobs (
    id TEXT PRIMARY KEY,
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    slug TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    layer TEXT NOT NULL CHECK (layer IN ('silver', 'gold')),
    dataset TEXT NOT NULL,
    -- [{"alias", "dataset": "bronze.orders"}]
    inputs TEXT NOT NULL,
    sql TEXT NOT NULL,
    refresh_mode TEXT NOT NULL DEFAULT 'full' CHECK (refresh_mode IN ('full', 'append', 'merge')),
    merge_keys TEXT NOT NULL DEFAULT '[]',
    partition_mode TEXT NOT NULL DEFAULT 'none' CHECK (partition_mode IN ('date', 'column', 'none')),
    partition_pattern TEXT,
    filename_pattern TEXT NOT NULL DEFAULT '{timestamp}_{filename}',
    compression TEXT NOT NULL DEFAULT 'snappy' CHECK (compression IN ('none', 'gzip', 'snappy', 'zstd')),
    output_schema TEXT,
    retries INTEGER NOT NULL DEFAULT 0,
    retry_delay_seconds INTEGER NOT NULL DEFAULT 10,
    timeout_seconds INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (pipeline_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_jobs_by_pipeline ON dataset_jobs (pipeline_id, id);

CREATE TABLE pipeline_runs (
    id TEXT PRIMARY KEY,
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('pipeline', 'job')),
    state_type TEXT NOT NULL
        CHECK (state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')),
    state_name TEXT NOT NULL,
    trigger TEXT NOT NULL DEFAULT 'manual',
    orchestrator TEXT NOT NULL DEFAULT 'inline',
    created_by TEXT NOT NULL DEFAULT '',
    idempotency_key TEXT,
    jobs_total INTEGER NOT NULL DEFAULT 0,
    jobs_completed INTEGER NOT NULL DEFAULT 0,
    jobs_failed INTEGER NOT NULL DEFAULT 0,
    rows_written INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (pipeline_id, id);
CREATE INDEX pipeline_runs_open ON pipeline_runs (state_type, id)
    WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING');
CREATE UNIQUE INDEX pipeline_runs_by_key ON pipeline_runs (pipeline_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE layer_centric_ingest_runs (
    id TEXT PRIMARY KEY,
    pipeline_run_id TEXT NOT NULL REFERENCES pipeline_runs (id) ON DELETE CASCADE,
    pipeline_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES layer_centric_ingest_jobs (id) ON DELETE CASCADE,
    job_name TEXT NOT NULL,
    state_type TEXT NOT NULL
        CHECK (state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')),
    state_name TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    commit_state TEXT NOT NULL DEFAULT 'none' CHECK (commit_state IN ('none', 'committed', 'published', 'undone')),
    dataset_id TEXT,
    snapshot INTEGER,
    rows_read INTEGER NOT NULL DEFAULT 0,
    rows_written INTEGER NOT NULL DEFAULT 0,
    rows_rejected INTEGER NOT NULL DEFAULT 0,
    rows_deduped INTEGER NOT NULL DEFAULT 0,
    rows_filtered INTEGER NOT NULL DEFAULT 0,
    rows_replaced INTEGER NOT NULL DEFAULT 0,
    bytes_in INTEGER NOT NULL DEFAULT 0,
    bytes_out INTEGER NOT NULL DEFAULT 0,
    output_keys TEXT NOT NULL DEFAULT '[]',
    watermark_before TEXT,
    watermark_after TEXT,
    error TEXT,
    -- What is left of the task's result: rejects (first 100), rejects_by_code, warnings, schema, stages
    report TEXT,
    config TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    scheduled_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX ingest_runs_by_job ON layer_centric_ingest_runs (job_id, id);
CREATE INDEX ingest_runs_by_pipeline_run ON layer_centric_ingest_runs (pipeline_run_id, id);
CREATE INDEX ingest_runs_open ON layer_centric_ingest_runs (state_type, id)
    WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING');
CREATE INDEX ingest_runs_committed ON layer_centric_ingest_runs (commit_state) WHERE commit_state = 'committed';

CREATE TABLE dataset_runs (
    id TEXT PRIMARY KEY,
    pipeline_run_id TEXT NOT NULL REFERENCES pipeline_runs (id) ON DELETE CASCADE,
    pipeline_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES dataset_jobs (id) ON DELETE CASCADE,
    job_name TEXT NOT NULL,
    state_type TEXT NOT NULL
        CHECK (state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')),
    state_name TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    commit_state TEXT NOT NULL DEFAULT 'none' CHECK (commit_state IN ('none', 'committed', 'published', 'undone')),
    dataset_id TEXT,
    snapshot INTEGER,
    rows_read INTEGER NOT NULL DEFAULT 0,
    rows_written INTEGER NOT NULL DEFAULT 0,
    rows_rejected INTEGER NOT NULL DEFAULT 0,
    rows_deduped INTEGER NOT NULL DEFAULT 0,
    rows_filtered INTEGER NOT NULL DEFAULT 0,
    rows_replaced INTEGER NOT NULL DEFAULT 0,
    bytes_in INTEGER NOT NULL DEFAULT 0,
    bytes_out INTEGER NOT NULL DEFAULT 0,
    output_keys TEXT NOT NULL DEFAULT '[]',
    watermark_before TEXT,
    watermark_after TEXT,
    error TEXT,
    report TEXT,
    config TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    scheduled_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_runs_by_job ON dataset_runs (job_id, id);
CREATE INDEX dataset_runs_by_pipeline_run ON dataset_runs (pipeline_run_id, id);
CREATE INDEX dataset_runs_open ON dataset_runs (state_type, id)
    WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING');
CREATE INDEX dataset_runs_committed ON dataset_runs (commit_state) WHERE commit_state = 'committed';

CREATE TABLE run_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline_run_id TEXT NOT NULL REFERENCES pipeline_runs (id) ON DELETE CASCADE,
    job_run_id TEXT,
    time INTEGER NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error')),
    message TEXT NOT NULL
) STRICT;
CREATE INDEX run_logs_by_run ON run_logs (pipeline_run_id, id);
CREATE INDEX run_logs_by_job_run ON run_logs (job_run_id, id) WHERE job_run_id IS NOT NULL;

-- One row a dataset: the catalog entry, and the pointer that readers follow.
CREATE TABLE metadata_catalog (
    id TEXT PRIMARY KEY,
    layer TEXT NOT NULL CHECK (layer IN ('bronze', 'silver', 'gold')),
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    format TEXT NOT NULL,
    schema TEXT NOT NULL DEFAULT '[]',
    parent_tables TEXT NOT NULL DEFAULT '[]',
    environment TEXT NOT NULL DEFAULT '',
    pipeline_id TEXT,
    job_id TEXT,
    is_reference INTEGER NOT NULL DEFAULT 0,
    -- NULL: nothing was ever published
    current_snapshot INTEGER,
    next_snapshot INTEGER NOT NULL DEFAULT 1,
    row_count INTEGER NOT NULL DEFAULT 0,
    byte_count INTEGER NOT NULL DEFAULT 0,
    file_count INTEGER NOT NULL DEFAULT 0,
    last_run_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (layer, name)
) STRICT, WITHOUT ROWID;

-- Every file that was ever committed and is not yet unlinked; landing and quarantine files too (dataset_id NULL).
CREATE TABLE manifest_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id TEXT REFERENCES metadata_catalog (id) ON DELETE CASCADE,
    layer TEXT NOT NULL CHECK (layer IN ('landing', 'bronze', 'silver', 'gold', 'quarantine')),
    job_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    -- Relative to the run's staging folder
    staged TEXT NOT NULL,
    partition TEXT NOT NULL DEFAULT '',
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    format TEXT NOT NULL,
    source_uri TEXT,
    added_snapshot INTEGER,
    removed_snapshot INTEGER,
    removed_run_id TEXT,
    removed_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX manifest_files_by_dataset ON manifest_files (dataset_id, removed_snapshot, id);
CREATE INDEX manifest_files_by_run ON manifest_files (run_id);
CREATE INDEX manifest_files_removed ON manifest_files (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX manifest_files_landing ON manifest_files (job_id, created_at) WHERE layer = 'landing';

-- What a commit changed, as it was before: {"table": ..., rows}. Gone once the run is published.
CREATE TABLE commit_undo (
    run_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    before TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

-- The file ledger of DESIGN 3.7.
CREATE TABLE ingest_ledger (
    job_id TEXT NOT NULL REFERENCES layer_centric_ingest_jobs (id) ON DELETE CASCADE,
    uri TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER,
    etag TEXT,
    hash TEXT,
    rows INTEGER NOT NULL DEFAULT 0,
    run_id TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, uri)
) STRICT, WITHOUT ROWID;

-- The typed value and its ties; last_watermark_value of the job is its text.
CREATE TABLE watermarks (
    job_id TEXT PRIMARY KEY REFERENCES layer_centric_ingest_jobs (id) ON DELETE CASCADE,
    column_name TEXT NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    ties TEXT NOT NULL DEFAULT '[]',
    run_id TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which snapshot a running dataset run reads.
CREATE TABLE run_inputs (
    run_id TEXT NOT NULL,
    dataset_id TEXT NOT NULL,
    snapshot INTEGER NOT NULL,
    PRIMARY KEY (run_id, dataset_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    filename TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('receiving', 'complete')),
    size INTEGER NOT NULL DEFAULT 0,
    expected_size INTEGER,
    sha256 TEXT,
    content_type TEXT NOT NULL DEFAULT '',
    created_by TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    completed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    details TEXT
) STRICT;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
