"""Pipelines through the API of a real server: order, parallel work, states, retries, cancel, dataset jobs."""

import json
import threading
import time

import pytest
import requests
from test_ingest import INCREMENTAL, settle, write

SLOW_ROWS = 400_000_000


def orders(server, pipeline, name="orders", rows=((1, "a", 10), (2, "b", 20)), **fields):
    text = "id,customer,amount\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)
    path = write(server.inbox / f"{name}.csv", text)
    return server.ingest(pipeline, name, path, partition_mode="none", **fields)


def slow_dataset(server, pipeline, name="slow", layer="silver", **fields):
    """A query of many seconds, which only a cancel ends early."""
    orders(server, pipeline, f"{name}_in")
    sql = f"SELECT sum(sqrt(a.range * b.id)) AS s FROM range({SLOW_ROWS}) a, input b WHERE a.range % 7 <> b.id"
    return server.dataset(pipeline, name, sql, {"input": f"bronze.{name}_in"}, layer, **fields)


def test_landing_to_gold_in_order(server):
    pipeline = server.pipeline("Retail", environment="production")
    gold = server.dataset(
        pipeline,
        "report",
        "SELECT region, sum(total)::DOUBLE AS total FROM t GROUP BY region ORDER BY region",
        {"t": "silver.totals"},
        "gold",
    )
    server.dataset(
        pipeline,
        "totals",
        "SELECT c.region, o.customer, sum(o.amount) AS total FROM o JOIN c ON c.name = o.customer GROUP BY ALL",
        {"o": "bronze.orders", "c": "bronze.customers"},
    )
    orders(server, pipeline)
    path = write(server.inbox / "c.csv", "name,region\na,north\nb,south\n")
    server.ingest(pipeline, "customers", path, is_reference=True, partition_mode="none")
    plan = server.get(f"/api/workflows/{pipeline['id']}/plan")
    assert plan["problems"] == []
    assert plan["stages"][-1] == [gold["id"]]
    run = server.run(pipeline)
    assert (run["state_name"], run["jobs_total"], run["jobs_completed"]) == ("Completed", 4, 4)
    by_name = {one["job_name"]: one for one in run["job_runs"]}
    assert by_name["customers"]["ended_at"] <= by_name["orders"]["started_at"]
    assert by_name["orders"]["ended_at"] <= by_name["totals"]["started_at"]
    assert by_name["totals"]["ended_at"] <= by_name["report"]["started_at"]
    assert server.rows("gold.report") == [{"region": "north", "total": 10.0}, {"region": "south", "total": 20.0}]
    entry = server.catalog("silver.totals")
    assert sorted(entry["parent_tables"]) == ["bronze.customers", "bronze.orders"]
    assert entry["environment"] == "production"
    again = server.run(pipeline)
    assert again["id"] != run["id"]
    assert server.rows("gold.report") == [{"region": "north", "total": 10.0}, {"region": "south", "total": 20.0}]


def test_dataset_refresh_modes(server):
    pipeline = server.pipeline()
    source = orders(server, pipeline)
    server.run_job(source)
    sql = "SELECT id, customer, amount FROM o"
    inputs = {"o": "bronze.orders"}
    append = server.dataset(pipeline, "added", sql, inputs, refresh_mode="append")
    merge = server.dataset(pipeline, "merged", sql, inputs, refresh_mode="merge", merge_keys=["id"])
    full = server.dataset(pipeline, "fresh", sql, inputs)
    for job in (append, merge, full):
        server.run_job(job)
    orders_path = server.inbox / "orders.csv"
    write(orders_path, "id,customer,amount\n2,b,21\n3,c,30\n")
    server.run_job(source)
    replaced = {job["name"]: server.run_job(job)["rows_replaced"] for job in (append, merge, full)}

    def amounts(full_name):
        return sorted((row["id"], row["amount"]) for row in server.rows(full_name))

    assert amounts("silver.added") == [(1, 10), (2, 20), (2, 21), (3, 30)]
    assert amounts("silver.merged") == [(1, 10), (2, 21), (3, 30)]
    assert amounts("silver.fresh") == [(2, 21), (3, 30)]
    assert replaced["merged"] == 1


def test_sql_is_checked_when_it_is_saved(server):
    pipeline = server.pipeline()
    server.run_job(orders(server, pipeline))
    base = f"/api/workflows/{pipeline['id']}/dataset-jobs"
    body = {"name": "d", "layer": "silver", "inputs": [{"alias": "o", "dataset": "bronze.orders"}]}
    for sql, line in (
        ("SELECT id,\n  missing\nFROM o", 2),
        ("SELEC 1", 1),
        ("SELECT 1; SELECT 2", None),
        ("COPY o TO '/tmp/x'", None),
        ("SELECT * FROM read_csv('/etc/passwd')", None),
    ):
        problem = server.refused("POST", base, {**body, "sql": sql})
        assert problem.status == 400, sql
        (found,) = [one for one in problem.problem["errors"] if one["pointer"] == "/sql"]
        if line:
            assert found["line"] == line, found
    assert server.all(base) == []


def test_output_schema_is_held(server):
    pipeline = server.pipeline()
    server.run_job(orders(server, pipeline))
    schema = [{"name": "id", "type": "integer", "nullable": False}, {"name": "amount", "type": "bigint"}]
    good = server.dataset(
        pipeline, "good", "SELECT id::INTEGER AS id, amount FROM o", {"o": "bronze.orders"}, output_schema=schema
    )
    server.run_job(good)
    assert [(c["name"], c["type"]) for c in server.catalog("silver.good")["schema"]] == [
        ("id", "integer"),
        ("amount", "bigint"),
    ]
    body = {"name": "bad", "layer": "silver", "inputs": [{"alias": "o", "dataset": "bronze.orders"}]}
    body |= {"sql": "SELECT customer AS id, amount FROM o", "output_schema": schema}
    problem = server.refused("POST", f"/api/workflows/{pipeline['id']}/dataset-jobs", body)
    assert (problem.status, problem.pointers()) == (400, {"/output_schema": "combination"})
    assert "'id'" in json.dumps(problem.problem)


def test_missing_inputs_and_cycles_are_one_400(server):
    pipeline = server.pipeline()
    server.dataset(pipeline, "a", "SELECT 1 AS x FROM i", {"i": "silver.b"})
    server.dataset(pipeline, "b", "SELECT 1 AS x FROM i", {"i": "silver.a"})
    server.dataset(pipeline, "c", "SELECT 1 AS x FROM i", {"i": "bronze.nowhere"})
    problem = server.refused("POST", f"/api/workflows/{pipeline['id']}/run")
    assert problem.status == 400
    codes = {one["code"] for one in problem.problem["errors"]}
    assert codes == {"cycle", "missing_input"}
    text = json.dumps(problem.problem)
    assert "bronze.nowhere" in text
    assert server.all(f"/api/workflows/{pipeline['id']}/runs") == []


def test_a_failed_job_fails_its_dependents_and_lets_the_rest_go_on(server):
    pipeline = server.pipeline()
    orders(server, pipeline)
    broken = server.ingest(pipeline, "broken", server.inbox / "no.csv", partition_mode="none")
    server.dataset(pipeline, "down", "SELECT * FROM i", {"i": "bronze.broken"})
    server.dataset(pipeline, "fine", "SELECT * FROM i", {"i": "bronze.orders"})
    run = server.run(pipeline, ok=False)
    states = {one["job_name"]: one["state_name"] for one in run["job_runs"]}
    assert states == {"broken": "Failed", "orders": "Completed", "down": "UpstreamFailed", "fine": "Completed"}
    assert (run["state_type"], run["jobs_failed"]) == ("FAILED", 2)
    (down,) = [one for one in run["job_runs"] if one["job_name"] == "down"]
    assert down["error"]["code"] == "upstream_failed"
    assert broken["name"] in down["error"]["message"]
    write(server.inbox / "no.csv", "a\n1\n")
    retried = server.wait(server.post(f"/api/pipeline-runs/{run['id']}/retry"))
    assert sorted(one["job_name"] for one in retried["job_runs"]) == ["broken", "down"]


def test_cancel_ends_within_two_seconds(server):
    pipeline = server.pipeline()
    job = slow_dataset(server, pipeline)
    run = server.start_run(pipeline)
    deadline = time.monotonic() + 30
    while True:
        now = server.get(f"/api/pipeline-runs/{run['id']}")
        states = {one["job_name"]: one["state_name"] for one in now["job_runs"]}
        if states["slow"] == "Running":
            break
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    time.sleep(0.5)
    asked = time.monotonic()
    server.post(f"/api/pipeline-runs/{run['id']}/cancel")
    done = server.wait(run, timeout=5, ok=False)
    assert time.monotonic() - asked < 2
    assert (done["state_type"], done["state_name"]) == ("CANCELLED", "Cancelled")
    assert server.catalog("silver.slow") is None
    assert server.refused("POST", f"/api/pipeline-runs/{run['id']}/cancel").status == 409
    assert job["id"]


def test_one_runs_one_waits_a_third_is_refused(server):
    pipeline = server.pipeline()
    slow_dataset(server, pipeline)
    first = server.start_run(pipeline)
    second = server.start_run(pipeline)
    problem = server.refused("POST", f"/api/workflows/{pipeline['id']}/run")
    assert (problem.status, problem.problem["code"]) == (409, "conflict")
    for run in (first, second):
        server.post(f"/api/pipeline-runs/{run['id']}/cancel")
        server.wait(run, ok=False)
    assert server.get(f"/api/pipeline-runs/{second['id']}")["state_type"] == "CANCELLED"


def test_the_same_idempotency_key_gives_the_same_run(server):
    pipeline = server.pipeline()
    orders(server, pipeline)
    path = f"/api/workflows/{pipeline['id']}/run"
    answers = []

    def ask():
        answers.append(server.raw("POST", path, headers={"Idempotency-Key": "k-1"}))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in answers} <= {200, 202}
    assert len({one.json()["id"] for one in answers}) == 1
    server.wait(answers[0].json())
    later = server.raw("POST", path, headers={"Idempotency-Key": "k-1"})
    assert (later.status_code, later.json()["id"]) == (200, answers[0].json()["id"])
    other = server.start_run(pipeline, headers={"Idempotency-Key": "k-2"})
    assert other["id"] != answers[0].json()["id"]
    server.wait(other)


def test_an_idempotency_key_of_another_job_is_refused(server):
    pipeline = server.pipeline()
    job = orders(server, pipeline)
    run = server.wait(server.start_job(job, headers={"Idempotency-Key": "k"}))
    assert server.start_job(job, headers={"Idempotency-Key": "k"})["id"] == run["id"]
    problem = server.refused("POST", f"/api/workflows/{pipeline['id']}/run", headers={"Idempotency-Key": "k"})
    assert problem.status == 409
    assert run["id"] in problem.problem["detail"]
    assert len(server.get("/api/runs")["items"]) == 1


def test_retries_with_back_off(server):
    pipeline = server.pipeline()
    job = slow_dataset(server, pipeline, retries=1, retry_delay_seconds=0, timeout_seconds=1)
    run = server.run(pipeline, ok=False, timeout=30)
    (slow,) = [one for one in run["job_runs"] if one["job_id"] == job["id"]]
    assert (slow["state_type"], slow["attempt"], slow["error"]["code"]) == ("FAILED", 2, "timeout")


def test_events_carry_state_log_and_the_end(server):
    pipeline = server.pipeline()
    orders(server, pipeline)
    run = server.start_run(pipeline)
    events = []
    with server.raw("GET", f"/api/pipeline-runs/{run['id']}/events", stream=True, timeout=30) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("event:"):
                events.append(line.split(":", 1)[1].strip())
            if events and events[-1] == "end":
                break
    assert events[0] == "snapshot"
    assert events[-1] == "end"
    log = server.get(f"/api/pipeline-runs/{run['id']}/log")["items"]
    assert log == sorted(log, key=lambda line: line["id"])
    assert log


def test_feature_flag_off(tmp_path):
    import server as servers

    with servers.Server(tmp_path / "home", "--layer-centric", "off") as off:
        assert off.get("/api/features")["layer_centric"] is False
        for method, path in (("GET", "/api/workflows"), ("POST", "/api/workflows"), ("GET", "/api/catalog")):
            assert off.refused(method, path, {"name": "x"} if method == "POST" else None).status == 403
        assert requests.get(off.url + "/healthz", timeout=10).status_code == 200


def test_an_append_that_runs_at_once_with_a_reader(server):
    """Readers see whole snapshots: a dataset job beside an ingest never sees half of it."""
    pipeline = server.pipeline()
    job = server.ingest(pipeline, "n", server.inbox / "n*.csv", partition_mode="none", **INCREMENTAL)
    for number in range(3):
        rows = "".join(f"{number},2024-01-0{number + 1}\n" for _ in range(1000))
        settle(write(server.inbox / f"n{number}.csv", "k,at\n" + rows))
        server.run_job(job)
    count = server.dataset(pipeline, "count", "SELECT count(*) AS n FROM n", {"n": "bronze.n"})
    server.run_job(count)
    assert server.rows("silver.count") == [{"n": 3000}]


@pytest.mark.parametrize("jobs", [40])
def test_many_jobs_in_parallel(server, jobs):
    pipeline = server.pipeline()
    for number in range(jobs):
        orders(server, pipeline, f"o{number}")
    run = server.run(pipeline, timeout=120)
    assert run["jobs_completed"] == jobs
