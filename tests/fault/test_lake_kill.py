"""SIGKILL to the server or to a task at random moments over a mixed load: after the last run bronze, silver and gold are
what an uninterrupted run makes, and the books agree with the files."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
import requests
from program import SOAK

from lake import (
    Load,
    check_books,
    check_interrupted,
    check_visible,
    day,
    servers,
    start_killed,
    tasks_of,
    wait_for_sweep,
)

KILLS = 200 if SOAK else 24


@pytest.mark.timeout(3000 if SOAK else 280)
def test_kills_lose_and_double_nothing(tmp_path):
    server = servers.Server(tmp_path / "home", "--garbage-grace", "0").start()
    draw = random.Random(4)
    load = Load(server, 5)
    load.make_pipeline()
    load.next_round()
    server.run(load.pipeline)
    span = 1.0
    outcomes = {}
    try:
        for number in range(KILLS):
            load.next_round()
            key = f"round-{number}"
            run = server.start_run(load.pipeline, headers={"Idempotency-Key": key})
            began = time.monotonic()
            delay = draw.random() * span
            whole = draw.random() < 0.5
            while time.monotonic() - began < delay:
                time.sleep(0.002)
            if whole:
                server.kill()
                if draw.random() < 0.3:
                    start_killed(server, draw.random() * 0.08)
                server.start()
                check_interrupted(server, [run["id"]])
                check_visible(server)
            else:
                children = tasks_of(server)
                if children:
                    os.kill(draw.choice(children), signal.SIGKILL)
            # The acknowledgement was lost: the client sends again and gets the same run, not another.
            again = server.start_run(load.pipeline, headers={"Idempotency-Key": key})
            assert again["id"] == run["id"]
            done = server.wait(run, ok=False)
            outcomes[done["state_type"]] = outcomes.get(done["state_type"], 0) + 1
            if done["state_type"] == "COMPLETED":
                span = max(0.15, min(1.5, (time.monotonic() - began)))
        done = server.run(load.pipeline)
        assert load.found() == load.expected()
        # A run with nothing new changes nothing.
        server.run(load.pipeline)
        assert load.found() == load.expected()
        server.kill()
        server.start()
        wait_for_sweep(server)
        ledger, watermarks = check_books(server, swept=True)
        sizes = {name: len(rows) for name, (_, rows) in load.files.items()}
        assert {Path(uri).name: rows for uri, rows in ledger.items() if Path(uri).name in sizes} == sizes
        assert watermarks["a"].startswith(day(load.round - 1))
        assert watermarks["b"].startswith(day(load.round - 1))
        print(outcomes)
        assert outcomes.get("CRASHED", 0) > KILLS // 10, f"the kills came too late or too early: {outcomes}"
    finally:
        if server.process.poll() is None:
            server.stop()


def test_a_task_dies_with_its_server(tmp_path):
    server = servers.Server(tmp_path / "home").start()
    from test_pipelines import slow_dataset

    pipeline = server.pipeline()
    slow_dataset(server, pipeline)
    run = server.start_run(pipeline)
    deadline = time.monotonic() + 20
    while not any(
        one["job_name"] == "slow" and one["state_name"] == "Running"
        for one in server.get(f"/api/pipeline-runs/{run['id']}")["job_runs"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = tasks_of(server)
    assert children
    server.kill()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline, "a task outlives its server"
        time.sleep(0.05)
    server.start()
    now = server.get(f"/api/pipeline-runs/{run['id']}")
    assert now["state_type"] == "CRASHED"
    assert requests.get(server.url + "/healthz", timeout=5).status_code == 200
    server.stop()
