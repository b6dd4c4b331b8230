"""Every rule of SPEC sections 2 and 6 through the API: what is refused, where, and by which code; all of it at once."""

import copy

import pytest
import server as servers
from test_ingest import write


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.Server(tmp_path_factory.mktemp("rules") / "home") as one:
        yield one


@pytest.fixture(scope="module")
def pipeline(server):
    return server.pipeline("rules")


INGEST = {"name": "j", "source_type": "file_local", "format": "csv", "config": {"path": "a.csv"}}
DATASET = {
    "name": "d",
    "layer": "silver",
    "sql": "SELECT 1 AS x FROM i",
    "inputs": [{"alias": "i", "dataset": "bronze.i"}],
}
MISSING = object()
COLUMNS = [{"name": "id", "type": "bigint"}, {"name": "at", "type": "timestamp"}]


def merged(base, change):
    body = copy.deepcopy(base)
    for key, value in change.items():
        if value is MISSING:
            body.pop(key, None)
        else:
            body[key] = value
    return body


# (what changes of a good job, what is wrong with it by pointer and code). Rules of SPEC 2 and 6 first.
INGEST_RULES = [
    ({"incremental_mode": "incremental"}, {"/watermark_column": "required"}),
    ({"incremental_mode": "incremental", "watermark_column": None}, {"/watermark_column": "required"}),
    ({"incremental_mode": "incremental", "watermark_column": ""}, {"/watermark_column": "length"}),
    ({"error_handling": "quarantine"}, {"/quarantine_path": "required"}),
    ({"error_handling": "quarantine", "quarantine_path": None}, {"/quarantine_path": "required"}),
    ({"error_handling": "quarantine", "quarantine_path": ""}, {"/quarantine_path": "length"}),
    ({"schema_mode": "user"}, {"/user_schema": "required"}),
    ({"schema_mode": "user", "user_schema": None}, {"/user_schema": "required"}),
    ({"schema_mode": "user", "user_schema": []}, {"/user_schema": "required"}),
    ({"schema_mode": "user", "user_schema": [{"name": "a"}]}, {"/user_schema/0/type": "required"}),
    ({"schema_mode": "user", "user_schema": [{"type": "date"}]}, {"/user_schema/0/name": "required"}),
    ({"schema_mode": "user", "user_schema": [{"name": "a", "type": "texty"}]}, {"/user_schema/0/type": "unknown_type"}),
    (
        {"schema_mode": "user", "user_schema": [{"name": "a", "type": "decimal(99,2)"}]},
        {"/user_schema/0/type": "unknown_type"},
    ),
    (
        {"schema_mode": "user", "user_schema": [{"name": "a", "type": "date"}, {"name": "A", "type": "date"}]},
        {"/user_schema/1/name": "duplicate"},
    ),
    (
        {"schema_mode": "user", "user_schema": [{"name": "a", "type": "date", "size": 1}]},
        {"/user_schema/0/size": "unknown_field"},
    ),
    (
        {
            "schema_mode": "user",
            "user_schema": COLUMNS,
            "incremental_mode": "incremental",
            "watermark_column": "nothere",
        },
        {"/watermark_column": "not_found"},
    ),
    (
        {"schema_mode": "user", "user_schema": COLUMNS, "dedupe_keys": ["id", "nothere"]},
        {"/dedupe_keys/1": "not_found"},
    ),
    (
        {"schema_mode": "user", "user_schema": COLUMNS, "partition_mode": "column", "partition_pattern": "nothere"},
        {"/partition_pattern": "not_found"},
    ),
    ({"partition_mode": "hour"}, {"/partition_mode": "choice"}),
    ({"partition_mode": "column"}, {"/partition_pattern": "required"}),
    ({"partition_mode": "column", "partition_pattern": "a,,b"}, {"/partition_pattern": "format"}),
    ({"partition_mode": "column", "partition_pattern": "a,A"}, {"/partition_pattern": "duplicate"}),
    ({"partition_mode": "date", "partition_pattern": "../yyyy"}, {"/partition_pattern": "format"}),
    ({"partition_mode": "date", "partition_pattern": "yyyy/mm"}, {"/partition_pattern": "format"}),
    ({"partition_mode": "none", "partition_pattern": "yyyy"}, {"/partition_pattern": "combination"}),
    ({"filename_pattern": "{nothing}"}, {"/filename_pattern": "format"}),
    ({"filename_pattern": "a/{filename}"}, {"/filename_pattern": "format"}),
    ({"source_type": "ftp"}, {"/source_type": "choice"}),
    ({"source_type": MISSING}, {"/source_type": "required"}),
    ({"source_type": "db_query"}, None),
    ({"source_type": "api"}, {"/source_type": "choice"}),
    ({"source_type": "file_s3"}, {"/source_type": "choice"}),
    ({"format": "xml"}, {"/format": "choice"}),
    ({"format": MISSING}, {"/format": "required"}),
    ({"format": "parquet", "force_to_parquet": False}, {"/force_to_parquet": "combination"}),
    ({"format": "parquet", "config": {"path": "a", "csv_options": {"delimiter": ";"}}}, None),
    ({"force_to_parquet": False, "compression": "snappy"}, {"/compression": "combination"}),
    (
        {"force_to_parquet": False, "incremental_mode": "incremental", "watermark_column": "t", "dedupe_keys": ["k"]},
        {"/force_to_parquet": "combination"},
    ),
    ({"force_to_parquet": "yes"}, {"/force_to_parquet": "type"}),
    ({"compression": "lzma"}, {"/compression": "choice"}),
    ({"landing_retention_days": -1}, {"/landing_retention_days": "range"}),
    ({"landing_retention_days": 1.5}, {"/landing_retention_days": "type"}),
    ({"max_rejects": 5}, {"/max_rejects": "combination"}),
    ({"max_reject_ratio": 2}, {"/max_reject_ratio": "range"}),
    ({"dedupe_keys": ["k", "K"]}, {"/dedupe_keys/1": "duplicate"}),
    ({"dedupe_keys": [""]}, {"/dedupe_keys/0": "length"}),
    ({"dedupe_keys": "k"}, {"/dedupe_keys": "type"}),
    ({"rename_map": {"a": "x", "b": "X"}}, {"/rename_map/b": "duplicate"}),
    ({"rename_map": {"a": 1}}, {"/rename_map/a": "type"}),
    ({"rename_map": ["a"]}, {"/rename_map": "type"}),
    ({"is_reference": 1}, {"/is_reference": "type"}),
    ({"error_handling": "ignore"}, {"/error_handling": "choice"}),
    ({"schema_mode": "guess"}, {"/schema_mode": "choice"}),
    ({"incremental_mode": "append"}, {"/incremental_mode": "choice"}),
    ({"last_watermark_value": "2024"}, {"/last_watermark_value": "read_only"}),
    ({"config": {}}, {"/config/path": "required"}),
    ({"config": {"path": "../a"}}, {"/config/path": "format"}),
    ({"config": {"path": "/etc/passwd"}}, {"/config/path": "denied"}),
    ({"config": {"path": "a", "upload_id": "0" * 26}}, None),
    ({"config": {"path": "a", "csv_options": {"delimiter": "\n"}}}, {"/config/csv_options/delimiter": "format"}),
    ({"config": {"path": "a", "csv_options": {"quote": "ab"}}}, {"/config/csv_options/quote": "length"}),
    ({"config": {"path": "a", "csv_options": {"encoding": "klingon"}}}, {"/config/csv_options/encoding": "choice"}),
    (
        {"config": {"path": "a", "csv_options": {"delimiter": ",", "quote": ","}}},
        {"/config/csv_options/quote": "combination"},
    ),
    ({"config": {"path": "a", "colour": 1}}, {"/config/colour": "unknown_field"}),
    ({"source_type": "file_upload", "config": {}}, {"/config/upload_id": "required"}),
    ({"source_type": "file_upload", "config": {"upload_id": "0" * 26}}, {"/config/upload_id": "not_found"}),
    ({"name": MISSING}, {"/name": "required"}),
    ({"name": ""}, {"/name": "length"}),
    ({"name": "a\nb"}, {"/name": "format"}),
    ({"name": 7}, {"/name": "type"}),
    ({"colour": "red"}, {"/colour": "unknown_field"}),
    ({"delimiter": ";"}, {"/delimiter": "unknown_field"}),
    ({"id": "x"}, {"/id": "read_only"}),
    ({"retries": 11}, {"/retries": "range"}),
    ({"timeout_seconds": 0}, {"/timeout_seconds": "range"}),
]

DATASET_RULES = [
    ({"layer": "bronze"}, {"/layer": "choice"}),
    ({"layer": MISSING}, {"/layer": "required"}),
    ({"sql": MISSING}, {"/sql": "required"}),
    ({"sql": " ; "}, {"/sql": "required"}),
    ({"inputs": MISSING}, {"/inputs": "required"}),
    ({"inputs": []}, {"/inputs": "length"}),
    ({"inputs": [{"alias": "1x", "dataset": "bronze.i"}]}, {"/inputs/0/alias": "format"}),
    ({"inputs": [{"alias": "i", "dataset": "i"}]}, {"/inputs/0/dataset": "format"}),
    ({"inputs": [{"alias": "i", "dataset": "landing.i"}]}, {"/inputs/0/dataset": "format"}),
    (
        {"inputs": [{"alias": "i", "dataset": "bronze.i"}, {"alias": "I", "dataset": "bronze.k"}]},
        {"/inputs/1/alias": "duplicate"},
    ),
    ({"inputs": [{"alias": "i", "dataset": "silver.d"}]}, {"/inputs/0/dataset": "combination"}),
    ({"refresh_mode": "replace"}, {"/refresh_mode": "choice"}),
    ({"refresh_mode": "merge"}, {"/merge_keys": "required"}),
    ({"refresh_mode": "full", "merge_keys": ["k"]}, {"/merge_keys": "combination"}),
    ({"refresh_mode": "merge", "merge_keys": ["k", "k"]}, {"/merge_keys/1": "duplicate"}),
    (
        {"refresh_mode": "merge", "merge_keys": ["k"], "output_schema": [{"name": "x", "type": "integer"}]},
        {"/merge_keys/0": "not_found"},
    ),
    ({"output_schema": [{"name": "x", "type": "int128"}]}, {"/output_schema/0/type": "unknown_type"}),
    ({"output_schema": []}, {"/output_schema": "length"}),
    ({"partition_mode": "column"}, {"/partition_pattern": "required"}),
    ({"compression": "brotli"}, {"/compression": "choice"}),
    ({"dedupe_keys": ["x"]}, {"/dedupe_keys": "unknown_field"}),
    ({"dataset": "Upper"}, {"/dataset": "format"}),
]

PIPELINE_RULES = [
    ({"name": MISSING}, {"/name": "required"}),
    ({"name": "x" * 201}, {"/name": "length"}),
    ({"environment": ""}, {"/environment": "length"}),
    ({"tags": ["a", "a"]}, {"/tags/1": "duplicate"}),
    ({"tags": "a"}, {"/tags": "type"}),
    ({"orchestrator": "airflow"}, {"/orchestrator": "choice"}),
    ({"max_parallel_jobs": 0}, {"/max_parallel_jobs": "range"}),
    ({"created_at": "2020-01-01T00:00:00Z"}, {"/created_at": "read_only"}),
    ({"colour": 1}, {"/colour": "unknown_field"}),
]


def kinds(pipeline):
    base = f"/api/workflows/{pipeline['id']}"
    return {
        "ingest": (f"{base}/ingest-jobs", INGEST, INGEST_RULES),
        "dataset": (f"{base}/dataset-jobs", DATASET, DATASET_RULES),
        "pipeline": ("/api/workflows", {"name": "p"}, PIPELINE_RULES),
    }


def named(table):
    return [f"{'-'.join(expected) if expected else 'any'} {list(change)}" for change, expected in table]


def check(server, pipeline, kind, change, expected):
    path, base, _ = kinds(pipeline)[kind]
    body = merged(base, change)
    before = server.all(path)
    problem = server.refused("POST", path, body)
    assert problem.status == 400
    found = problem.pointers()
    if expected is None:
        assert found
    else:
        assert found == expected
    for one in problem.problem["errors"]:
        # What to change: a sentence, and not only a code.
        assert len(one["message"]) > 20, one
    assert server.all(path) == before
    if kind != "pipeline":  # the same without saving
        assert {e["pointer"]: e["code"] for e in server.post(f"/api/validate/{kind}-job", body)["errors"]} == found


@pytest.mark.parametrize(("change", "expected"), INGEST_RULES, ids=named(INGEST_RULES))
def test_rules_of_ingest_jobs(server, pipeline, change, expected):
    check(server, pipeline, "ingest", change, expected)


@pytest.mark.parametrize(("change", "expected"), DATASET_RULES, ids=named(DATASET_RULES))
def test_rules_of_dataset_jobs(server, pipeline, change, expected):
    check(server, pipeline, "dataset", change, expected)


@pytest.mark.parametrize(("change", "expected"), PIPELINE_RULES, ids=named(PIPELINE_RULES))
def test_rules_of_pipelines(server, pipeline, change, expected):
    check(server, pipeline, "pipeline", change, expected)


def test_all_bad_fields_at_once(server, pipeline):
    body = {
        "name": "",
        "source_type": "ftp",
        "format": "xml",
        "partition_mode": "hour",
        "compression": "lzma",
        "landing_retention_days": -1,
        "schema_mode": "user",
        "user_schema": [{"name": "a", "type": "texty"}, {"name": "A", "type": "date"}, {"type": 1}],
        "error_handling": "quarantine",
        "incremental_mode": "incremental",
        "dedupe_keys": ["k", 7],
        "rename_map": {"a": "x", "b/c": 1},
        "filename_pattern": "{nothing}",
        "retries": "three",
        "colour": "red",
    }
    problem = server.refused("POST", f"/api/workflows/{pipeline['id']}/ingest-jobs", body)
    assert problem.pointers() == {
        "/name": "length",
        "/source_type": "choice",
        "/format": "choice",
        "/partition_mode": "choice",
        "/compression": "choice",
        "/landing_retention_days": "range",
        "/user_schema/0/type": "unknown_type",
        "/user_schema/1/name": "duplicate",
        "/user_schema/2/name": "required",
        "/user_schema/2/type": "type",
        "/quarantine_path": "required",
        "/watermark_column": "required",
        "/dedupe_keys/1": "type",
        "/rename_map/b~1c": "type",
        "/filename_pattern": "format",
        "/retries": "type",
        "/colour": "unknown_field",
    }


# ---- defaults ----


def test_defaults_of_ingest_jobs(server, pipeline):
    made = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", INGEST)
    expected = {
        "force_to_parquet": True,
        "partition_mode": "date",
        "partition_pattern": "yyyy/MM/dd",
        "filename_pattern": "{timestamp}_{filename}",
        "compression": "snappy",
        "landing_retention_days": None,
        "schema_mode": "infer",
        "user_schema": None,
        "error_handling": "fail",
        "quarantine_path": None,
        "dedupe_keys": [],
        "incremental_mode": "full",
        "watermark_column": None,
        "last_watermark_value": None,
        "rename_map": {},
        "is_reference": False,
        "dataset": "j",
        "enabled": True,
    }
    assert {key: made[key] for key in expected} == expected
    server.delete(f"/api/workflows/{pipeline['id']}/ingest-jobs/{made['id']}")
    for change, member, value in (
        ({"format": "json"}, "force_to_parquet", True),
        ({"format": "parquet"}, "compression", "snappy"),
        ({"force_to_parquet": False}, "compression", "none"),
        ({"partition_mode": "none"}, "partition_pattern", None),
        ({"partition_mode": "date", "partition_pattern": None}, "partition_pattern", "yyyy/MM/dd"),
        ({"name": "Sales EU", "dataset": MISSING}, "dataset", "sales_eu"),
    ):
        made = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", merged(INGEST, change))
        assert made[member] == value, change
        assert server.get(f"/api/workflows/{pipeline['id']}/ingest-jobs/{made['id']}") == made
        server.delete(f"/api/workflows/{pipeline['id']}/ingest-jobs/{made['id']}")


def test_every_field_of_the_specification_is_kept(server, pipeline):
    full = {
        **INGEST,
        "name": "full",
        "description": "all of SPEC section 1",
        "force_to_parquet": True,
        "partition_mode": "column",
        "partition_pattern": "at",
        "filename_pattern": "{filename}-{seq}",
        "compression": "zstd",
        "landing_retention_days": 30,
        "schema_mode": "user",
        "user_schema": [
            {"name": "id", "type": "bigint", "nullable": False},
            {"name": "at", "type": "date", "nullable": True},
        ],
        "error_handling": "quarantine",
        "quarantine_path": "quarantine",
        "max_rejects": 10,
        "max_reject_ratio": 0.5,
        "dedupe_keys": ["id"],
        "incremental_mode": "incremental",
        "watermark_column": "at",
        "rename_map": {"ID": "id", "When": "at"},
        "is_reference": True,
        "null_values": ["NULL"],
        "retries": 2,
        "config": {
            "path": "a.csv",
            "recursive": False,
            "csv_options": {"delimiter": ";", "header": True, "encoding": "UTF-8", "quote": "'"},
        },
    }
    made = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", full)
    for key, value in full.items():
        if key == "config":
            assert made[key]["path"] == "a.csv" and made[key]["recursive"] is False
            assert {k: made[key]["csv_options"][k] for k in value["csv_options"]} == value["csv_options"]
        else:
            assert made[key] == value, key
    server.delete(f"/api/workflows/{pipeline['id']}/ingest-jobs/{made['id']}")


def test_defaults_of_dataset_jobs_and_pipelines(server, pipeline):
    made = server.post(f"/api/workflows/{pipeline['id']}/dataset-jobs", DATASET)
    expected = {"refresh_mode": "full", "merge_keys": [], "partition_mode": "none", "partition_pattern": None}
    expected |= {"compression": "snappy", "output_schema": None, "dataset": "d", "enabled": True}
    assert {key: made[key] for key in expected} == expected
    server.delete(f"/api/workflows/{pipeline['id']}/dataset-jobs/{made['id']}")
    other = server.post("/api/workflows", {"name": "Defaults"})
    expected = {"description": "", "environment": "development", "owner": "", "tags": [], "orchestrator": "auto"}
    expected |= {"max_parallel_jobs": None, "slug": "defaults"}
    assert {key: other[key] for key in expected} == expected
    server.delete(f"/api/workflows/{other['id']}")


# ---- changes ----


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"description": "new", "retries": 11}, {"/retries": "range"}),
        ({"description": "new", "incremental_mode": "incremental"}, {"/watermark_column": "required"}),
        ({"description": "new", "error_handling": "quarantine"}, {"/quarantine_path": "required"}),
        ({"description": "new", "schema_mode": "user"}, {"/user_schema": "required"}),
        ({"description": "new", "colour": 1, "format": "xml"}, {"/colour": "unknown_field", "/format": "choice"}),
        ({"description": "new", "config": {"path": "/etc"}}, {"/config/path": "denied"}),
        ({"description": "new", "name": None}, {"/name": "null"}),
        ({"description": "new", "id": "0" * 26}, {"/id": "read_only"}),
    ],
)
def test_a_change_applies_fully_or_not_at_all(server, pipeline, change, expected):
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    job = server.post(base, {**INGEST, "name": "change", "dataset": "change"})
    problem = server.refused("PATCH", f"{base}/{job['id']}", change)
    assert (problem.status, problem.pointers()) == (400, expected)
    assert server.get(f"{base}/{job['id']}") == job
    changed = server.patch(
        f"{base}/{job['id']}", {"description": "new", "id": job["id"], "created_at": job["created_at"]}
    )
    assert changed == {**job, "description": "new", "updated_at": changed["updated_at"]}
    server.delete(f"{base}/{job['id']}")


def test_a_mode_change_gives_what_goes_with_it(server, pipeline):
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    job = server.post(base, {**INGEST, "name": "modes", "dataset": "modes"})
    path = f"{base}/{job['id']}"
    assert server.patch(path, {"partition_mode": "none"})["partition_pattern"] is None
    assert server.patch(path, {"partition_mode": "date"})["partition_pattern"] == "yyyy/MM/dd"
    quarantine = server.patch(path, {"error_handling": "quarantine", "quarantine_path": "quarantine", "max_rejects": 1})
    assert quarantine["quarantine_path"] == "quarantine"
    assert server.refused("PATCH", path, {"error_handling": "fail"}).pointers() == {"/max_rejects": "combination"}
    assert server.patch(path, {"error_handling": "fail", "max_rejects": None})["max_rejects"] is None
    server.delete(path)


def test_names_are_unique_whatever_their_case(server, pipeline):
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    job = server.post(base, {**INGEST, "name": "Same", "dataset": "same"})
    for body in ({**INGEST, "name": "sAME", "dataset": "other"}, {**INGEST, "name": "other", "dataset": "same"}):
        assert server.refused("POST", base, body).status == 409
    assert server.refused("POST", "/api/workflows", {"name": "RULES"}).status == 409
    server.delete(f"{base}/{job['id']}")


def test_a_run_checks_again(server, pipeline):
    """SPEC 2: a run is refused, with every reason, when what it needs is not there."""
    own = server.pipeline()
    server.post(
        f"/api/workflows/{own['id']}/dataset-jobs",
        DATASET | {"dataset": "runs_a", "inputs": [{"alias": "i", "dataset": "silver.runs_b"}]},
    )
    server.post(
        f"/api/workflows/{own['id']}/dataset-jobs",
        DATASET | {"name": "e", "dataset": "runs_b", "inputs": [{"alias": "i", "dataset": "silver.runs_a"}]},
    )
    server.post(
        f"/api/workflows/{own['id']}/dataset-jobs",
        DATASET | {"name": "f", "dataset": "runs_c", "inputs": [{"alias": "i", "dataset": "bronze.nothing"}]},
    )
    problem = server.refused("POST", f"/api/workflows/{own['id']}/run")
    assert problem.status == 400
    assert {one["code"] for one in problem.problem["errors"]} == {"cycle", "missing_input"}
    # An upload that has gone since the job was saved.
    upload = server.raw(
        "POST", "/api/uploads?filename=a.csv", data=b"k\n1\n", headers={"Content-Type": "text/csv"}
    ).json()
    job = server.post(
        f"/api/workflows/{own['id']}/ingest-jobs",
        {
            "name": "u",
            "enabled": False,
            "source_type": "file_upload",
            "format": "csv",
            "config": {"upload_id": upload["id"]},
        },
    )
    server.delete(f"/api/uploads/{upload['id']}")
    run = server.raw("POST", f"/api/workflows/{own['id']}/ingest-jobs/{job['id']}/run")
    if run.status_code == 202:
        done = server.wait(run.json(), ok=False)["job_runs"][0]
        assert (done["state_type"], done["error"]["code"]) == ("FAILED", "not_found")
    else:
        assert run.status_code in (400, 404)
    server.delete(f"/api/workflows/{own['id']}")


def test_the_whole_configuration_goes_with_the_run(server, pipeline):
    own = server.pipeline()
    job = server.ingest(
        own, "whole", write(server.inbox / "whole.csv", "k\n1\n"), partition_mode="none", rename_map={"k": "key"}
    )
    run = server.get(f"/api/ingest-runs/{server.run_job(job)['id']}")
    for key in ("rename_map", "partition_mode", "compression", "filename_pattern", "config", "force_to_parquet"):
        assert run["config"][key] == job[key]
    server.delete(f"/api/workflows/{own['id']}")
