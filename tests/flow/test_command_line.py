"""The commands about pipelines and runs, on a home without a server and through one."""

import json
import os
import re
import subprocess
import time

import flowforge
import pytest
import requests
import server as servers

DOCUMENT = """\
pipeline: {name: Shop}
ingest_jobs:
  - {name: orders, source_type: file_local, format: csv, config: {path: o.csv}}
dataset_jobs:
  - name: daily
    layer: gold
    inputs: [{alias: o, dataset: bronze.orders}]
    sql: select v, count(*) n from o group by v
"""
COMMANDS = "convert preview serve run apply export pipelines job runs catalog connection token task".split()


class Home:
    def __init__(self, path):
        self.path = path
        self.inbox = path / "inbox"
        self.inbox.mkdir(parents=True)
        self.document = path / "shop.yaml"
        self.document.write_text(DOCUMENT)
        self.orders("id,v\n1,a\n2,b\n")

    def orders(self, text):
        file = self.inbox / "o.csv"
        file.write_text(text)
        os.utime(file, (time.time() - 60,) * 2)

    def __call__(self, *words, code=0):
        done = flowforge.call(*words, "--home", self.path)
        assert done.code == code, (words, done)
        return done

    def json(self, *words, code=0):
        return json.loads(self(*words, "--json", code=code).out)


@pytest.fixture(params=["alone", "through a server"])
def home(request, tmp_path):
    home = Home(tmp_path / "home")
    home.server = None
    if request.param == "alone":
        yield home
        return
    with servers.Server(home.path) as home.server:
        yield home


def test_apply_run_show_export(home):
    assert [one["action"] for one in home.json("apply", "--dry-run", home.document)["changes"]] == ["created"] * 3
    assert home.json("pipelines")["items"] == []
    home("apply", home.document)
    assert {one["action"] for one in home.json("apply", home.document)["changes"]} == {"unchanged"}
    assert [one["name"] for one in home.json("job", "list", "Shop")] == ["orders", "daily"]
    assert home.json("job", "show", "shop", "orders")["partition_pattern"] == "yyyy/MM/dd"
    assert home.json("job", "plan", "Shop", "orders")["file_count"] == 1
    run = home.json("run", "Shop")
    assert (run["state_type"], run["rows_written"]) == ("COMPLETED", 4)
    assert home.json("runs", "list", "Shop", "--limit", "1")["items"][0]["id"] == run["id"]
    assert home.json("runs", "show", run["id"])["job_runs"] == run["job_runs"]
    assert "orders: 2 rows read, 2 written" in home("runs", "log", run["id"]).out.decode()
    lines = [json.loads(line) for line in home("runs", "log", run["id"], "--json").out.splitlines()]
    assert [one["id"] for one in lines] == sorted({one["id"] for one in lines})
    shown = home.json("catalog", "show", "gold.daily")
    assert shown["parent_tables"] == ["bronze.orders"]
    assert sorted(shown["sample"]["rows"]) == [["a", "1"], ["b", "1"]]
    for form in ([], ["--json"]):
        exported = home.path / "exported"
        exported.write_bytes(home("export", "Shop", *form).out)
        assert {one["action"] for one in home.json("apply", exported)["changes"]} == {"unchanged"}
        assert home("export", "Shop", *form).out == exported.read_bytes()


def test_prune(home):
    home("apply", home.document)
    home.document.write_text(DOCUMENT[: DOCUMENT.index("dataset_jobs")])

    def daily(*words):
        return {one["name"]: one["action"] for one in home.json("apply", *words, home.document)["changes"]}["daily"]

    assert daily() == "kept"
    assert daily("--dry-run", "--prune") == "deleted"
    assert daily() == "kept"
    assert daily("--prune") == "deleted"
    assert len(home.json("job", "list", "Shop")) == 1


def test_retry_runs_to_the_end(home):
    home("apply", home.document)
    (home.inbox / "o.csv").unlink()
    failed = home.json("run", "Shop", code=1)
    assert [one["state_name"] for one in failed["job_runs"]] == ["Failed", "UpstreamFailed"]
    home.json("runs", "retry", failed["id"], code=1)
    home.orders("id,v\n1,a\n")
    assert home.json("runs", "retry", failed["id"])["state_name"] == "Completed"
    assert "there is nothing to run again" in home("runs", "retry", home.json("runs")["items"][0]["id"], code=1).err


def test_watermark_is_shown_and_set(home):
    home("apply", home.document)
    assert home.json("job", "watermark", "Shop", "orders") == {"watermark": None, "ledger_files": 0}
    assert home("job", "watermark", "Shop", "orders").out.decode().startswith("no watermark\n")
    document = json.loads(home("export", "Shop", "--json").out)
    document["ingest_jobs"][0]["watermark_column"] = "id"
    home.document.write_text(json.dumps(document))
    home("apply", home.document)
    home.json("run", "Shop")
    assert home("job", "watermark", "Shop", "orders").out.decode() == "id (bigint): 2\n1 files in the ledger\n"
    words = ("job", "watermark", "Shop", "orders", "--set", "1", "--reason", "a test")
    assert home(*words).out.decode() == "id (bigint): 1\n1 files in the ledger\n"
    assert home.json(*words, "--forget-files")["ledger_files"] == 0
    told = home("job", "watermark", "Shop", "orders", "--set", "soon", "--reason", "x", code=1).err
    assert "is no value of column 'id', which is bigint" in told


def test_no_wait_needs_a_server(home):
    home("apply", home.document)
    if not home.server:
        done = home("run", "Shop", "--no-wait", code=2)
        assert "no server runs on this home" in done.err
        assert home.json("runs")["items"] == []
        return
    home.server.wait(home.json("run", "Shop", "--no-wait"))


def test_tokens(home):
    home("apply", home.document)
    made = home.json("token", "create", "ci", "--role", "editor")
    assert made["token"] not in home("token", "list").out.decode()

    def ask():
        headers = {"Authorization": f"Bearer {made['token']}"}
        return requests.get(f"{home.server.url}/api/me", headers=headers, timeout=10).status_code

    assert not home.server or ask() == 200
    assert home.json("token", "revoke", made["id"]) == {"id": made["id"], "revoked": True}
    assert not home.server or ask() == 401
    assert home.json("token", "list")["items"][0]["revoked_at"]


def test_all_that_is_wrong_is_told_once(home):
    home.document.write_text("pipeline: {name: x}\nfoo: 1\ningest_jobs: [{name: a, format: q}]\n")
    told = home("apply", home.document, code=1).err
    for pointer in ("/foo", "/ingest_jobs/0/source_type", "/ingest_jobs/0/format"):
        assert told.count(pointer + ":") == 1, told
    assert home.json("pipelines")["items"] == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["job", "frobnicate", "Shop", "orders"], 2, "no verb 'frobnicate'\n  it has list, show, plan, watermark;"),
        (["runs", "show"], 2, "flowforge runs show takes RUN"),
        (["runs", "show", "nope"], 1, "flowforge runs lists"),
        (["runs", "list", "nope"], 1, "there is no pipeline 'nope'\n  flowforge runs lists"),
        (["run", "nope"], 1, "flowforge pipelines lists them"),
        (["run", "Shop", "--job", "nope"], 1, "its jobs: orders, daily"),
        (["run"], 2, "flowforge pipelines lists them"),
        (["catalog", "show", "gold.nope"], 1, "flowforge catalog lists"),
        (["job", "plan", "Shop", "daily"], 1, "run the job that makes it first"),
        (["runs", "--limt", "3"], 2, "--limit"),
        (["job", "list", "Shop", "--role", "admin"], 2, "--role"),
        (["token", "create", "x", "--role", "king"], 2, "admin"),
        (["job", "watermark", "Shop", "orders", "--set", "5"], 2, "both --set VALUE and --reason TEXT"),
        (["job", "watermark", "Shop", "orders", "--forget-files"], 2, "both --set VALUE and --reason TEXT"),
        (["job", "watermark", "Shop", "orders", "--set", "5", "--reason", "x"], 1, "watermark_column"),
        (["job", "watermark", "Shop", "daily"], 2, "only ingest jobs have a watermark"),
    ],
)
def test_what_is_wrong_says_what_to_do(home, words, code, told):
    home("apply", home.document)
    assert told in home(*words, code=code).err


@pytest.mark.parametrize("words", [["pipelines"], ["pipelines", "--json"], ["export", "Shop"], ["job", "list", "Shop"]])
def test_what_cannot_be_written_is_no_success(home, words):
    home("apply", home.document)
    command = [flowforge.PROGRAM, *words, "--home", home.path]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot write to standard output" in done.stderr


def test_homes_that_are_none(tmp_path):
    (tmp_path / "other").mkdir()
    for where, told in ((tmp_path / "none", "there is no home"), (tmp_path / "other", "is no FlowForge home")):
        done = flowforge.call("runs", "--home", where)
        assert done.code == 1
        assert told in done.err
        assert "--home" in done.err
    assert not (tmp_path / "none").exists()
    assert list((tmp_path / "other").iterdir()) == []


def test_every_command_teaches():
    listed = re.findall(r"^  (\w+) +\S", flowforge.call("--help").out.decode().split("\n\n")[2], re.MULTILINE)
    assert listed == COMMANDS
    for command in COMMANDS:
        done = flowforge.call(command, "--help")
        text = done.out.decode()
        assert (done.code, done.err) == (0, "")
        assert text.startswith(f"Usage: flowforge {command} ")
        assert command == "task" or "\nExamples:\n  flowforge " in text
        assert not re.search(r" $", text, re.MULTILINE), "blanks at the end of a line"
        assert max(map(len, text.splitlines())) <= 120
    done = flowforge.call("frobnicate")
    assert (done.code, "there is no command 'frobnicate'" in done.err) == (2, True)
