-- A dataset has one producer, and a job's slug names its folders.
CREATE UNIQUE INDEX ingest_jobs_by_dataset ON layer_centric_ingest_jobs (dataset COLLATE NOCASE);
CREATE UNIQUE INDEX dataset_jobs_by_dataset ON dataset_jobs (layer, dataset COLLATE NOCASE);
CREATE UNIQUE INDEX ingest_jobs_by_slug ON layer_centric_ingest_jobs (pipeline_id, slug);
CREATE UNIQUE INDEX dataset_jobs_by_slug ON dataset_jobs (pipeline_id, slug);

-- Lists of runs stay quick with a million of them: by state, by pipeline and state, by job and state. What is open is
-- found by the same indexes.
DROP INDEX pipeline_runs_open;
DROP INDEX ingest_runs_open;
DROP INDEX dataset_runs_open;
DROP INDEX pipeline_runs_by_pipeline;
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (pipeline_id, id, state_type); -- the state: for badges
CREATE INDEX pipeline_runs_by_state ON pipeline_runs (state_type, id);
CREATE INDEX pipeline_runs_by_pipeline_state ON pipeline_runs (pipeline_id, state_type, id);
CREATE INDEX ingest_runs_by_state ON layer_centric_ingest_runs (state_type, id);
CREATE INDEX ingest_runs_by_job_state ON layer_centric_ingest_runs (job_id, state_type, id);
CREATE INDEX ingest_runs_by_pipeline ON layer_centric_ingest_runs (pipeline_id, id);
CREATE INDEX dataset_runs_by_state ON dataset_runs (state_type, id);
CREATE INDEX dataset_runs_by_job_state ON dataset_runs (job_id, state_type, id);
CREATE INDEX dataset_runs_by_pipeline ON dataset_runs (pipeline_id, id);
