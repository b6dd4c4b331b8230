-- The schema of each snapshot that changed it. A commit writes what it would make of the dataset here; its publishing
-- copies that into metadata_catalog, so that the catalog always describes what readers see.
CREATE TABLE catalog_schemas (
    dataset_id TEXT NOT NULL REFERENCES metadata_catalog (id) ON DELETE CASCADE,
    snapshot INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    schema TEXT NOT NULL,
    format TEXT NOT NULL,
    parent_tables TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, snapshot)
) STRICT, WITHOUT ROWID;
