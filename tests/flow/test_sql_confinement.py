"""The SQL of a dataset reads its inputs and nothing else, wherever it is given: preview, check, save, apply, run."""

import pytest
import server as servers
from test_ingest import write

SECRET = "other-dataset-secret"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.Server(tmp_path_factory.mktemp("sql") / "home") as one:
        yield one


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    """Two datasets; only `mine` is an input. And a folder that a query might write into."""
    pipeline = server.pipeline("sql")
    for name, text in (("mine", "k,v\n1,a\n2,b\n"), ("other", f"k,v\n1,{SECRET}\n")):
        path = write(server.inbox / f"{name}.csv", text)
        server.run_job(server.ingest(pipeline, name, path, partition_mode="none"))
    (other,) = server.files("bronze.other")
    return {
        "pipeline": pipeline,
        "other": server.home / "lake" / other["path"],
        "csv": server.inbox / "other.csv",
        "home": server.home,
        "out": tmp_path_factory.mktemp("written"),
    }


READS = [
    "SELECT * FROM read_csv('{csv}')",
    "SELECT * FROM read_csv_auto('{csv}')",
    "SELECT * FROM read_text('{home}/server.lock')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{home}/flowforge.db')",
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM parquet_scan('{other}')",
    "SELECT * FROM parquet_metadata('{other}')",
    "SELECT * FROM parquet_schema('{other}')",
    "SELECT * FROM parquet_file_metadata('{other}')",
    "SELECT * FROM parquet_kv_metadata('{other}')",
    "SELECT * FROM read_json('{csv}')",
    "SELECT * FROM read_ndjson('{csv}')",
    "SELECT * FROM read_json_objects('{csv}')",
    "SELECT * FROM glob('{home}/*')",
    "SELECT * FROM sniff_csv('{csv}')",
    "SELECT * FROM '{other}'",
    "SELECT * FROM '{csv}'",
    'SELECT * FROM "{csv}"',
    'SELECT * FROM "{other}"',
    "FROM '/etc/passwd'",
    "SELECT * FROM 'https://example.invalid/x.parquet'",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "TABLE '{csv}'",
    "WITH t AS (SELECT * FROM '{other}') SELECT * FROM t",
    "WITH t AS MATERIALIZED (SELECT * FROM read_parquet('{other}')) SELECT * FROM t",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT k FROM '{other}') SELECT * FROM t",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM read_text('/etc/passwd')))",
    "SELECT (SELECT content FROM read_text('/etc/passwd')) AS x",
    "SELECT * FROM mine WHERE EXISTS (SELECT * FROM '{other}' o WHERE o.k = mine.k)",
    "SELECT * FROM mine WHERE v IN (SELECT v FROM read_parquet('{other}'))",
    "SELECT * FROM mine UNION ALL BY NAME SELECT * FROM '{other}'",
    "SELECT * FROM mine, LATERAL (SELECT * FROM read_parquet('{other}')) x",
    "SELECT * FROM mine JOIN '{other}' o USING (k)",
    "SELECT [x FOR x IN (SELECT list(v) FROM '{other}')] AS l",
    "PIVOT '{other}' ON k USING first(v)",
    "UNPIVOT (SELECT * FROM '{other}') ON v",
    "VALUES ((SELECT v FROM '{other}'))",
    "SELECT * FROM query('SELECT * FROM ''{other}''')",
    "SELECT * FROM query_table('{other}')",
    "SELECT * FROM query_table(['mine', '{other}'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM ''{other}'''))",
    "SELECT * FROM mine QUALIFY row_number() OVER (ORDER BY (SELECT max(k) FROM '{other}')) = 1",
    "SELECT * FROM mine ORDER BY (SELECT max(k) FROM read_parquet('{other}'))",
    "SELECT * FROM mine LIMIT (SELECT count(*) FROM '{other}')",
    "SELECT count(*) FILTER (WHERE k IN (SELECT k FROM '{other}')) AS n FROM mine",
    "SELECT list_transform([1], x -> (SELECT max(v) FROM '{other}')) AS x",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM which_secret('x', 's3')",
    "SELECT * FROM pragma_version()",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM sqlite_scan('{home}/flowforge.db', 'tokens')",
    "SELECT * FROM bronze.other",
    "SELECT * FROM other",
    "SELECT getenv('HOME') AS x",
    "SELECT read_text('/etc/passwd') AS x",
    "SELECT * FROM test_all_types()",
    "SELECT nextval('s') AS x",
    "SELECT write_log('x') AS x",
]

OTHERS = [
    "COPY (SELECT 1) TO '{out}/a.csv'",
    "COPY mine TO '{out}/a.parquet' (FORMAT parquet)",
    "COPY mine FROM '{csv}'",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{out}'",
    "ATTACH '{out}/x.db'",
    "ATTACH '{home}/flowforge.db' AS s (TYPE sqlite)",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}/x.duckdb_extension'",
    "FORCE INSTALL spatial FROM community",
    "SET enable_external_access=true",
    "SET GLOBAL lock_configuration=false",
    "RESET ALL",
    "SET temp_directory='{out}'",
    "SET memory_limit='100GB'",
    "PRAGMA enable_profiling='json'",
    "PRAGMA profiling_output='{out}/p.json'",
    "PRAGMA database_list",
    "CREATE TABLE t AS SELECT * FROM '{other}'",
    "CREATE VIEW w AS SELECT * FROM '{other}'",
    "CREATE OR REPLACE VIEW mine AS SELECT * FROM '{other}'",
    "CREATE MACRO f(x) AS TABLE SELECT * FROM read_text(x)",
    "CREATE FUNCTION f(x) AS x",
    "CREATE TEMP TABLE t (x INT)",
    "CREATE SECRET s (TYPE s3)",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM (SELECT v FROM '{other}')",
    "INSERT INTO mine VALUES (1)",
    "DELETE FROM mine",
    "UPDATE mine SET k = 1",
    "DROP VIEW mine",
    "ALTER VIEW mine RENAME TO yours",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "EXPLAIN SELECT * FROM mine",
    "EXPLAIN ANALYZE SELECT * FROM mine",
    "DESCRIBE mine",
    "SUMMARIZE mine",
    "SHOW TABLES",
    "PREPARE q AS SELECT * FROM '{other}'",
    "EXECUTE q",
    "SELECT 1 AS a; SELECT 2 AS a",
    "SELECT 1 AS a; COPY mine TO '{out}/b.csv'",
    "COPY mine TO '{out}/c.csv'; SELECT 1 AS a",
    ";;COPY mine TO '{out}/d.csv'",
    "/* SELECT */ COPY mine TO '{out}/e.csv'",
    "-- SELECT\nINSTALL httpfs",
    "SELECT 1 AS a /* ; */ ; INSTALL httpfs",
    "(COPY mine TO '{out}/f.csv')",
    "WITH t AS (SELECT 1) INSERT INTO mine SELECT * FROM t",
    "WITH t AS (DELETE FROM mine RETURNING *) SELECT * FROM t",
    "SELECT 1 AS a INTO OUTFILE '{out}/g'",
    "SELECT ? AS a",
    "SELECT $1 AS a",
    "",
    ";",
    "-- nothing",
]


def filled(world, sql):
    for name in ("csv", "other", "home", "out"):
        sql = sql.replace("{%s}" % name, str(world[name]))
    return sql


def job_of(sql, name="evil"):
    return {"name": name, "layer": "gold", "sql": sql, "inputs": [{"alias": "mine", "dataset": "bronze.mine"}]}


def refused_everywhere(server, world, sql):
    base = f"/api/workflows/{world['pipeline']['id']}/dataset-jobs"
    for path, body, pointer in (
        (base, job_of(sql), "/sql"),
        ("/api/preview", {"job": job_of(sql)}, "/job/sql"),
        ("/api/validate/dataset-job", job_of(sql), "/sql"),
    ):
        answer = server.raw("POST", path, json=body)
        assert answer.status_code == (200 if "validate" in path else 400), f"{path}: {answer.status_code} {answer.text}"
        assert pointer in [one["pointer"] for one in answer.json()["errors"]], f"{path}: {answer.text}"
        assert SECRET not in answer.text and server.token not in answer.text and "root:" not in answer.text
    assert list(world["out"].iterdir()) == []


@pytest.mark.parametrize("sql", READS)
def test_sql_that_reads_something_else(server, world, sql):
    refused_everywhere(server, world, filled(world, sql))


@pytest.mark.parametrize("sql", OTHERS)
def test_sql_that_is_no_select(server, world, sql):
    refused_everywhere(server, world, filled(world, sql))


ATTACKS = [
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM '{other}'",
    "SELECT * FROM mine UNION ALL SELECT * FROM '{other}'",
    "COPY mine TO '{out}/run.csv'",
    "SELECT 1 AS a; COPY mine TO '{out}/run.csv'",
    "SELECT * FROM query('SELECT * FROM ''{other}''')",
    "ATTACH '{out}/run.db'",
    "SET enable_external_access=true",
]


def test_a_run_holds_by_itself(server, world):
    """Saved before its input is in the catalog, so nobody has looked at the SQL: the run has to refuse it."""
    pipeline = server.pipeline("late")
    source = server.ingest(pipeline, "late", write(server.inbox / "late.csv", "k,v\n1,a\n"), partition_mode="none")
    jobs = []
    for number, sql in enumerate(ATTACKS):
        body = job_of(filled(world, sql).replace("mine", "late"), f"late {number}")
        body["inputs"] = [{"alias": "late", "dataset": "bronze.late"}]
        answer = server.raw("POST", f"/api/workflows/{pipeline['id']}/dataset-jobs", json=body)
        if answer.status_code == 201:
            jobs.append(answer.json())
        else:
            assert answer.status_code == 400
    assert jobs
    server.run_job(source)
    for job in jobs:
        run = server.wait(server.start_job(job), ok=False)["job_runs"][0]
        assert run["state_type"] == "FAILED", job["sql"]
        assert run["error"]["code"] in ("denied", "invalid"), run["error"]
        assert SECRET not in str(run)
        assert server.raw("GET", f"/api/workflows/{pipeline['id']}/dataset-jobs/{job['id']}/plan").json()["errors"]
        assert server.catalog(f"gold.{job['dataset']}") is None
    assert list(world["out"].iterdir()) == []


def test_what_sql_can_see_of_the_machine(server, world):
    """What is left in reach tells nothing that is not the user's: no secret, no other dataset, no environment."""
    for sql in (
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM duckdb_logs",
        "SELECT * FROM duckdb_views",
        "SELECT * FROM pragma_database_list",
        "SELECT current_setting('temp_directory') AS a, current_setting('allowed_directories')::VARCHAR AS b",
        "SELECT version() AS a, current_database() AS b, user AS c",
    ):
        answer = server.raw("POST", "/api/preview", json={"job": job_of(sql)})
        assert answer.status_code in (200, 400)
        assert SECRET not in answer.text and server.token not in answer.text
        assert "bronze/other" not in answer.text


def test_a_query_without_end_is_ended(server, world):
    sql = "SELECT count(*) AS n FROM range(1000000000000) a, range(1000000000000) b"
    job = server.post(
        f"/api/workflows/{world['pipeline']['id']}/dataset-jobs", {**job_of(sql, "endless"), "timeout_seconds": 1}
    )
    run = server.wait(server.start_job(job), ok=False, timeout=20)["job_runs"][0]
    assert run["error"]["code"] == "timeout"


def test_a_query_that_wants_all_memory_fails_alone(server, world):
    for number, sql in enumerate(
        (
            "SELECT repeat('x', 3000000000) AS x",
            "SELECT list(range) AS l FROM range(300000000)",
            "SELECT string_agg(repeat('x', 1000), '') AS x FROM range(3000000)",
        )
    ):
        body = {**job_of(sql, f"memory {number}"), "timeout_seconds": 60}
        preview = server.raw("POST", "/api/preview", json={"job": job_of(sql)})
        assert preview.status_code in (200, 400, 413, 422, 500, 504, 507), preview.text[:500]
        assert preview.json().get("code") != "internal", preview.text[:500]
        saved = server.raw("POST", f"/api/workflows/{world['pipeline']['id']}/dataset-jobs", json=body)
        if saved.status_code != 201:  # it was worked out when it was checked, and was too much there
            assert saved.json()["code"] != "internal", saved.text
            continue
        job = saved.json()
        run = server.wait(server.start_job(job), ok=False, timeout=90)["job_runs"][0]
        assert run["state_type"] in ("FAILED", "CRASHED"), run
        assert run["error"]["message"]
        assert server.get("/healthz")["status"] == "ok"
