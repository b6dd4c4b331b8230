"""What goes wrong between FlowForge and a real PostgreSQL, and what may never go wrong: rows lost or doubled."""

import datetime as dt
import random
import subprocess
import threading
import time

import db_task
import flowforge
import postgres as real
import pytest
import test_task

INCREMENTAL = {"incremental_mode": "incremental", "watermark_column": "at"}


@pytest.fixture
def lake(tmp_path, postgres):
    return db_task.DbLake(tmp_path, "postgres", postgres.config)


# ---- the property: never a duplicate; never a loss when the lag covers the delay of commits ----


class Writers:
    """Transactions that take their time at the start and commit up to `delay` seconds (of the column's) later."""

    def __init__(self, database, seed, delay, bursts, zone):
        self.random, self.delay, self.bursts, self.zone = random.Random(seed), delay, bursts, zone
        self.database, self.open, self.committed, self.nulls, self.next = database, [], {}, set(), 0
        self.now = dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC)  # an hour before a DST change in Berlin

    def step(self):
        r = self.random
        self.now += dt.timedelta(microseconds=r.choice([0, 1, 999_999, 1_000_000, 60_000_000]))
        transaction = {"until": self.now + dt.timedelta(seconds=r.uniform(0, self.delay)), "rows": []}
        for _ in range(r.randint(1, self.bursts)):
            self.next += 1
            at = None if r.random() < 0.03 else self.now - dt.timedelta(microseconds=r.choice([0, 0, 1]))
            transaction["rows"].append((self.next, at))
        self.open.append(transaction)
        self.commit(lambda t: t["until"] <= self.now)

    def commit(self, ready):
        done = [t for t in self.open if ready(t)]
        self.open = [t for t in self.open if not ready(t)]
        self.random.shuffle(done)
        with self.database.connect() as connection:
            connection.execute(f"set timezone = '{self.zone}'")
            for t in done:
                with connection.transaction(), connection.cursor() as cursor:
                    cursor.executemany("insert into t values (%s, %s)", t["rows"])
                for row, at in t["rows"]:
                    self.committed[row] = at
                    self.nulls |= {row} if at is None else set()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("keys", [[], ["id"]])
def test_nothing_is_doubled_or_lost_when_the_lag_covers_late_commits(lake, postgres, seed, keys):
    writers = Writers(postgres, seed, delay=90, bursts=4, zone=["UTC", "Europe/Berlin", "America/St_Johns"][seed % 3])
    postgres.execute("create table t (id int, at timestamptz); create index on t (at)")
    job = INCREMENTAL | {
        "table": "t", "safety_lag_seconds": 91, "dedupe_keys": keys, "error_handling": "quarantine",
        "quarantine_path": "quarantine",
    }  # fmt: skip
    for _ in range(6):
        for _ in range(writers.random.randint(0, 12)):
            writers.step()
        if writers.random.random() < 0.3:  # a run whose result is lost before the commit changes nothing
            assert lake.finished(**job)["outcome"] in ("completed", "skipped")
        lake.run(**job)
        taken = [i for (i,) in lake.rows("id")]
        assert len(taken) == len(set(taken)), "a row was taken twice"
        assert set(taken) <= writers.committed.keys() - writers.nulls
        mark = lake.watermark and dt.datetime.fromisoformat(lake.watermark["value"])
        below = {i for i, at in writers.committed.items() if at and mark and at <= mark}
        assert set(taken) == below
    writers.commit(lambda t: True)
    postgres.execute("insert into t values (0, '2030-01-01Z')")  # time goes on, so that the last rows come within
    result = lake.run(**job)
    assert {i for (i,) in lake.rows("id")} == writers.committed.keys() - writers.nulls
    assert result["rejects_by_code"].get("NULL_WATERMARK", 0) == len(writers.nulls)


def test_without_a_lag_a_late_commit_may_be_missed_but_nothing_is_doubled(lake, postgres):
    writers = Writers(postgres, 7, delay=90, bursts=4, zone="UTC")
    postgres.execute("create table t (id int, at timestamptz)")
    job = INCREMENTAL | {"table": "t", "error_handling": "quarantine", "quarantine_path": "quarantine"}
    for _ in range(5):
        for _ in range(8):
            writers.step()
        lake.run(**job)
        taken = [i for (i,) in lake.rows("id")]
        assert len(taken) == len(set(taken))
        assert set(taken) <= writers.committed.keys() - writers.nulls


# ---- what cannot be reached ----


@pytest.mark.parametrize(
    ("change", "code", "said", "hint"),
    [
        ({"password": "wrong"}, "denied", "password authentication failed", "password"),
        ({"user": "nobody"}, "denied", "nobody", "user"),
        ({"database": "nowhere"}, "not_found", '"nowhere" does not exist', "database"),
        ({"port": 1}, "unavailable", "refused", "port"),
        ({"host": "no-such-host.invalid"}, "unavailable", "no-such-host.invalid", "host"),
        ({"sslmode": "require"}, "unavailable", "SSL", "TLS"),
        ({"options": "-c no_such_setting=1"}, "invalid", "no_such_setting", ""),
    ],
)
def test_what_is_wrong_with_the_connection_is_said(lake, change, code, said, hint):
    lake.connection["config"] = lake.connection["config"] | change
    error = lake.error(table="t")
    assert (error["code"], said in error["message"], hint in error["hint"]) == (code, True, True), error
    assert real.PASSWORD not in str(error)


def test_what_may_not_be_read_is_said(lake, postgres):
    postgres.execute("create table t (id int); revoke all on t from flow")
    assert lake.error(table="nothing")["code"] == "not_found"
    error = lake.error(table="t")
    assert error["code"] == "denied" and "GRANT" in error["hint"]
    error = lake.error(query="select *\nfrm t")
    assert error["code"] == "invalid" and "at character" in error["message"]
    error = lake.error(query="select 1 / (n - 5) as x from generate_series(1, 10) n")
    assert "division by zero" in error["message"]


def test_a_query_has_its_time(lake):
    lake.connection["config"] = lake.connection["config"] | {"statement_timeout_seconds": 0.2}
    error = lake.error(query="select pg_sleep(20)::text as x")
    assert error["code"] == "timeout" and "statement_timeout_seconds" in error["hint"]


def test_tls(lake, tmp_path, postgres):
    with real.PostgresServer(tls=True) as server:
        database = server.database()
        database.execute("create table t as select n as id, repeat('x', n % 100) as v from generate_series(1, 50000) n")
        authority = tmp_path / "authority.crt"
        authority.write_text(server.run("cat", server.certificate))
        config = database.config | {"sslmode": "verify-full", "sslrootcert": str(authority)}
        lake.connection["config"] = config
        assert lake.run(table="t")["rows"]["written"] == 50000
        assert len({i for (i,) in lake.rows("id")}) == 50000
        error = lake.error(query="select 1 / (25000 - id) as x from t")
        assert "division by zero" in error["message"]
        lake.connection["config"] = config | {"host": "localhost"}  # the certificate names 127.0.0.1
        assert lake.error(table="t")["code"] in ("denied", "unavailable")
        authority.write_text(authority.read_text()[:100])
        lake.connection["config"] = config
        assert lake.error(table="t")["code"] in ("denied", "unavailable", "invalid")


# ---- in mid-transfer ----

SLOW = "select n as id, repeat('x', 200) as v, pg_sleep(0.001)::text as s from generate_series(1, 1000000) n"


def start(payload):
    process = subprocess.Popen(
        [str(flowforge.PROGRAM), "task", "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdin.write(test_task.json.dumps(payload))
    process.stdin.close()
    return process


def wait_until(what, seconds=15):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def running(database):
    return database.execute(
        "select count(*) from pg_stat_activity where application_name = 'flowforge' and datname = current_database() "
        "and query like 'COPY%%'"
    ) != [(0,)]


def test_a_cancel_reaches_the_server(lake, postgres):
    process = start(lake.payload(query=SLOW))
    wait_until(lambda: running(postgres))
    began = time.monotonic()
    process.terminate()
    last = test_task.json.loads(process.stdout.read().splitlines()[-1])
    process.wait(10)
    assert last["outcome"] == "cancelled" and time.monotonic() - began < 1.5
    wait_until(lambda: not running(postgres), 2)


def test_a_server_that_dies_fails_the_run_cleanly(tmp_path):
    with real.PostgresServer() as server:
        lake = db_task.DbLake(tmp_path, "postgres", server.database().config)
        process = start(lake.payload(query=SLOW))
        database = real.Database(server, lake.connection["config"]["database"])
        wait_until(lambda: running(database))
        threading.Timer(0.3, server.kill).start()
        last = test_task.json.loads(process.stdout.read().splitlines()[-1])
        process.wait(10)
        assert last["outcome"] == "failed"
        assert last["error"]["code"] == "unavailable" and "lost" in last["error"]["message"]
        assert lake.error(query="select 1 as a")["code"] == "unavailable"
        server.start()
        assert lake.run(query="select 1 as a")["rows"]["written"] == 1


def test_a_backend_that_is_ended_fails_the_run_cleanly(lake, postgres):
    process = start(lake.payload(query=SLOW))
    wait_until(lambda: running(postgres))
    postgres.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'COPY%%' and datname = "
                     "current_database() and pid <> pg_backend_pid()")  # fmt: skip
    last = test_task.json.loads(process.stdout.read().splitlines()[-1])
    process.wait(10)
    assert (last["outcome"], last["error"]["code"]) == ("failed", "unavailable")
