"""Paths that users name lead nowhere but where they may: into the local roots, and into the job's own folders of the lake."""

import gzip
import os

import pytest
import server as servers
from test_http import OCTETS

SECRET = "s3cr3t-of-another-folder"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.Server(tmp_path_factory.mktemp("confinement") / "home") as one:
        yield one


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.csv").write_text(f"k\n{SECRET}\n")
    return folder


@pytest.fixture
def pipeline(server):
    made = server.pipeline()
    yield made
    server.delete(f"/api/workflows/{made['id']}?delete_data=true")


def put(path, text="k\n1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1, 1))
    return path


def body(path, name="j", **fields):
    return {"name": name, "source_type": "file_local", "format": "csv", "config": {"path": str(path)}, **fields}


def everywhere(server, pipeline, path, **fields):
    """The four ways to name a path: create, change, check, preview. Each has to refuse it at /config/path."""
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    job = server.post(base, body("fine.csv", name=f"fine {os.urandom(4).hex()}"))
    asked = body(path, **fields)
    for method, where, sent, pointer in (
        ("POST", base, asked, "/config/path"),
        ("PATCH", f"{base}/{job['id']}", {"config": asked["config"]}, "/config/path"),
        ("POST", "/api/preview", {"job": asked}, "/job/config/path"),
        (
            "POST",
            "/api/apply",
            {"pipeline": {"name": pipeline["name"]}, "ingest_jobs": [asked], "dataset_jobs": []},
            "/ingest_jobs/0/config/path",
        ),
    ):
        answer = server.raw(method, where, json=sent)
        assert answer.status_code == 400, f"{method} {where} {path}: {answer.status_code} {answer.text}"
        assert pointer in [one["pointer"] for one in answer.json()["errors"]], answer.text
        assert SECRET not in answer.text
    checked = server.post("/api/validate/ingest-job", asked)["errors"]
    assert "/config/path" in [one["pointer"] for one in checked]
    server.delete(f"{base}/{job['id']}")


def outside_paths(server, outside):
    inbox, home = server.inbox, server.home
    return [
        "/etc/passwd",
        "/",
        "/proc/self/environ",
        "/dev/zero",
        "../server.lock",
        "a/../../server.lock",
        "./../flowforge.db",
        f"{inbox}/../server.lock",
        f"{inbox}/nothere/../../server.lock",
        str(home),
        f"{home}/flowforge.db",
        f"{home}/server.lock",
        f"{home}/lake",
        f"{home}/uploads/*",
        f"{inbox}-other/a.csv",
        f"{outside}/secret.csv",
        f"{outside}/*.csv",
        f"{inbox}/*/../../server.lock",
        f"{inbox}/[a]/../../*",
        "*/../../*",
        "/*/*.csv",
        "//etc/passwd",
        "/./etc/passwd",
        "x" * 5000,
        "a\x01/../../b.csv",
        "",
    ]


@pytest.mark.parametrize("number", range(26))
def test_paths_outside_the_roots_are_refused_everywhere(server, pipeline, outside, number):
    everywhere(server, pipeline, outside_paths(server, outside)[number])


def test_whether_something_outside_exists_is_not_told(server, pipeline, outside):
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    there = server.refused("POST", base, body(f"{outside}/secret.csv")).problem["errors"][0]
    nothing = server.refused("POST", base, body(f"{outside}/nothing.csv")).problem["errors"][0]
    assert there["code"] == nothing["code"]
    assert there["message"].replace("secret", "") == nothing["message"].replace("nothing", "")


def links(server, outside):
    """Name of a link below the root -> what it points to."""
    return {
        "file.csv": outside / "secret.csv",
        "folder": outside,
        "lock.csv": server.home / "server.lock",
        "nothing.csv": outside / "later.csv",
        "chain.csv": server.inbox / "links" / "file.csv",
        "relative.csv": "../../server.lock",
    }


@pytest.fixture
def linked(server, outside):
    folder = server.inbox / "links"
    folder.mkdir()
    for name, target in links(server, outside).items():
        (folder / name).symlink_to(target)
    yield folder
    for name in links(server, outside):
        (folder / name).unlink()
    folder.rmdir()


def test_links_out_of_the_roots_are_refused(server, pipeline, linked):
    for path in (
        linked / "file.csv",
        linked / "folder",
        linked / "folder" / "secret.csv",
        linked / "folder" / "*.csv",
        linked / "lock.csv",
        linked / "nothing.csv",
        linked / "chain.csv",
        linked / "relative.csv",
    ):
        everywhere(server, pipeline, path)


def nothing_leaked(server):
    for root, _, names in os.walk(server.home / "lake"):
        for name in names:
            data = open(os.path.join(root, name), "rb").read()
            assert SECRET.encode() not in data, name
            assert server.token.encode() not in data, name


@pytest.mark.parametrize("pattern", ["links/*.csv", "links", "*/*.csv", "links/[fcl]*", "links/**", "*/*/*.csv"])
def test_a_glob_or_folder_with_links_out_fails_and_reads_nothing(server, pipeline, linked, pattern):
    put(server.inbox / "links" / "zz.csv")
    try:
        made = server.raw(
            "POST", f"/api/workflows/{pipeline['id']}/ingest-jobs", json=body(pattern, dataset=pipeline["slug"])
        )
        if made.status_code == 400:
            assert made.json()["errors"][0]["pointer"] == "/config/path"
            return
        job = made.json()
        base = f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}"
        for method, path, sent in (("GET", f"{base}/plan", None), ("POST", "/api/preview", {"job": body(pattern)})):
            answer = server.raw(method, path, json=sent)
            assert SECRET not in answer.text and server.token not in answer.text
            assert answer.status_code < 500, answer.text
        run = server.wait(server.start_job(job), ok=False)["job_runs"][0]
        if pattern in ("links/**", "*/*/*.csv"):  # may match nothing
            assert run["state_type"] in ("FAILED", "COMPLETED")
        else:
            assert (run["state_type"], run["error"]["code"]) == ("FAILED", "denied"), run
        nothing_leaked(server)
    finally:
        (server.inbox / "links" / "zz.csv").unlink()


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_link_that_is_made_after_the_job_was_saved(server, pipeline, outside, mode):
    """The file, its folder, and one file of a glob become links out: the run fails and has read nothing."""
    fields = {"dataset": pipeline["slug"], "incremental_mode": mode}
    if mode == "incremental":
        fields["watermark_column"] = "k"
    where = server.inbox / "later"
    kinds = {
        "file": ("later/a.csv", lambda: (where / "a.csv").symlink_to(outside / "secret.csv")),
        "folder": ("later/secret.csv", lambda: where.symlink_to(outside)),
        "glob": ("later/*.csv", lambda: (where / "b.csv").symlink_to(outside / "secret.csv")),
    }
    for kind, (path, attack) in kinds.items():
        name = path.rsplit("/", 1)[1].replace("*", "a")
        put(where / name)
        job = server.post(
            f"/api/workflows/{pipeline['id']}/ingest-jobs",
            body(path, name=kind, **{**fields, "dataset": f"{pipeline['slug']}-{kind}"}),
        )
        if kind != "glob":
            (where / name).unlink()
        if kind == "folder":
            where.rmdir()
        attack()
        run = server.wait(server.start_job(job), ok=False)["job_runs"][0]
        assert (run["state_type"], run["error"]["code"]) == ("FAILED", "denied"), f"{kind}: {run}"
        assert SECRET not in str(run)
        assert server.raw("GET", f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}/plan").status_code in (
            400,
            403,
        )
        nothing_leaked(server)
        if where.is_symlink():
            where.unlink()
        else:
            for one in where.iterdir():
                one.unlink()
            where.rmdir()


def test_what_is_no_file_is_not_read(server, pipeline):
    os.mkfifo(server.inbox / "pipe.csv")
    (server.inbox / "dir.csv").mkdir()
    try:
        job = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", body("pipe.csv"))
        run = server.wait(server.start_job(job), ok=False, timeout=20)["job_runs"][0]
        assert run["state_type"] == "FAILED"
        assert server.raw("POST", "/api/preview", json={"job": body("pipe.csv")}, timeout=20).status_code == 400
    finally:
        (server.inbox / "pipe.csv").unlink()
        (server.inbox / "dir.csv").rmdir()


# ---- names that go into paths of the lake ----

BAD_NAMES = [
    "..",
    "../x",
    "a/b",
    "/abs",
    "a\\b",
    "a\x01b",
    "a\nb",
    ".hidden",
    "A",
    "é",
    "",
    "x" * 200,
    "-x",
    "a b",
    "a.b",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_dataset_names_are_slugs(server, pipeline, name):
    base = f"/api/workflows/{pipeline['id']}"
    problem = server.refused("POST", f"{base}/ingest-jobs", body("a.csv", dataset=name))
    assert (problem.status, list(problem.pointers())) == (400, ["/dataset"])
    made = {
        "name": "d",
        "layer": "gold",
        "sql": "SELECT 1 AS x FROM i",
        "inputs": [{"alias": "i", "dataset": "bronze.i"}],
    }
    problem = server.refused("POST", f"{base}/dataset-jobs", {**made, "dataset": name})
    assert (problem.status, list(problem.pointers())) == (400, ["/dataset"])
    problem = server.refused(
        "POST", f"{base}/dataset-jobs", {**made, "inputs": [{"alias": "i", "dataset": f"bronze.{name}"}]}
    )
    assert (problem.status, list(problem.pointers())) == (400, ["/inputs/0/dataset"])


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "...", "..", "a/../b", "..\\..\\x", "💥", "  "])
def test_names_of_people_become_slugs(server, name):
    made = server.raw("POST", "/api/workflows", json={"name": name})
    if made.status_code == 400:
        return
    pipeline = made.json()
    put(server.inbox / "n.csv")
    job = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", body("n.csv", name=name, partition_mode="none"))
    for slug in (pipeline["slug"], job["slug"], job["dataset"]):
        assert slug and not set(slug) - set("abcdefghijklmnopqrstuvwxyz0123456789_-"), slug
    before = set(server.home.parent.rglob("*"))
    server.run_job(job)
    for path in set(server.home.parent.rglob("*")) - before:
        assert path.relative_to(server.home).parts[0] == "lake", path
    server.delete(f"/api/workflows/{pipeline['id']}?delete_data=true")


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../..",
        "/etc",
        "/",
        "a//b",
        "a/",
        ".staging",
        ".x",
        "a/.b",
        "bronze",
        "GOLD/x",
        "landing",
        "a\x01b",
        "a\\b",
        "x" * 300,
    ]
    + ["a/" + "y" * 256, "a\x7fb", "silver/q"],
)
def test_quarantine_stays_in_the_lake_and_off_the_data(server, pipeline, path):
    problem = server.refused(
        "POST",
        f"/api/workflows/{pipeline['id']}/ingest-jobs",
        body("a.csv", error_handling="quarantine", quarantine_path=path),
    )
    assert (problem.status, list(problem.pointers())) == (400, ["/quarantine_path"])


@pytest.mark.parametrize("field", ["filename_pattern", "partition_pattern"])
@pytest.mark.parametrize(
    "pattern",
    ["..", "../{filename}", "/abs", "a\\b", "a\x01b", "{nothere}", "a//b", "../../yyyy", ".", "{filename", ""],
)
def test_patterns_stay_in_their_folder(server, pipeline, field, pattern):
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    answer = server.raw("POST", base, json=body("a.csv", **{field: pattern}))
    if answer.status_code == 400:
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"/{field}"]
        return
    # What is accepted is made harmless.
    put(server.inbox / "a.csv")
    before = set(server.home.parent.rglob("*"))
    server.run_job(answer.json())
    for path in set(server.home.parent.rglob("*")) - before:
        parts = path.relative_to(server.home).parts
        assert parts[0] == "lake" and ".." not in parts and not path.name.startswith("."), f"{pattern!r}: {path}"


def test_partition_values_stay_one_folder(server, pipeline):
    values = [
        "..",
        ".",
        "../../x",
        "/etc",
        "a/b",
        "a\\b",
        "a=b",
        "%2e%2e",
        "é",
        "",
        "x" * 200,
        "a\tb",
        ".staging",
        "-",
        "~",
        "*",
    ]
    put(server.inbox / "v.csv", "k,v\n" + "".join(f'{n},"{value}"\n' for n, value in enumerate(values)))
    job = server.post(
        f"/api/workflows/{pipeline['id']}/ingest-jobs",
        body(
            "v.csv",
            dataset=pipeline["slug"],
            partition_mode="column",
            partition_pattern="v",
            schema_mode="user",
            user_schema=[{"name": "k", "type": "bigint"}, {"name": "v", "type": "string"}],
        ),
    )
    before = set(server.home.parent.rglob("*"))
    server.run_job(job)
    folder = server.home / "lake" / "bronze" / pipeline["slug"]
    made = [
        path for path in set(server.home.parent.rglob("*")) - before if path.is_file() and "landing" not in path.parts
    ]
    made = [path for path in made if not path.name.startswith("flowforge.db")]
    assert len(made) == len(values)
    for path in made:
        relative = path.relative_to(folder)
        assert len(relative.parts) == 2 and relative.parts[0].startswith("v="), path
    assert sorted(str(row["v"]) for row in server.rows(f"bronze.{pipeline['slug']}")) == sorted(values)


# ---- what unpacks to too much ----


def test_a_decompression_bomb_ends_its_run_only(server, pipeline):
    """1,000 to 1 without a line end: the record limit ends it, and not memory."""
    bomb = gzip.compress(b"k\n" + b"x" * (300 << 20), 9)
    assert len(bomb) < 400_000
    made = server.raw("POST", "/api/uploads?filename=bomb.csv.gz", data=bomb, headers=OCTETS)
    assert made.status_code == 201
    source = {"source_type": "file_upload", "format": "csv", "config": {"upload_id": made.json()["id"]}}
    job = server.post(
        f"/api/workflows/{pipeline['id']}/ingest-jobs", {"name": "bomb", **source, "dataset": pipeline["slug"]}
    )
    run = server.wait(server.start_job(job), ok=False, timeout=120)["job_runs"][0]
    assert run["state_type"] == "FAILED", run
    assert run["error"]["code"] != "internal", run
    answer = server.raw("POST", "/api/preview", json={"job": source}, timeout=60)
    assert answer.status_code in (200, 400), answer.text[:1000]
    assert len(answer.content) < 64 << 20
    assert server.get("/healthz")["status"] == "ok"
    server.delete(f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}")
    server.delete(f"/api/uploads/{made.json()['id']}")


def test_a_record_beyond_the_limit_is_a_bad_row(server, pipeline):
    long = "x" * (17 << 20)
    put(server.inbox / "long.csv", f"k,v\n1,a\n2,{long}\n3,c\n")
    base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
    job = server.post(
        base, body("long.csv", dataset=pipeline["slug"], error_handling="quarantine", quarantine_path="quarantine")
    )
    run = server.run_job(job)
    assert (run["rows_written"], run["rows_rejected"]) == (2, 1), run
    run = server.get(f"/api/ingest-runs/{run['id']}")
    assert run["report"]["rejects_by_code"] == {"ROW_TOO_LONG": 1}
    rejects = server.raw("GET", f"/api/ingest-runs/{run['id']}/rejects")
    assert rejects.status_code == 200 and len(rejects.content) < 1 << 20
