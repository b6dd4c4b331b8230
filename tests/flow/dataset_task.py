"""Payloads for dataset tasks over files that pyarrow wrote, and what the task answers."""

import json
import os
import subprocess

import flowforge
import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.string(): "string",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamptz",
    pa.binary(): "binary",
}


def columns_of(schema):
    return [
        {
            "name": f.name,
            "type": f"decimal({f.type.precision},{f.type.scale})" if pa.types.is_decimal(f.type) else TYPES[f.type],
            "nullable": f.nullable,
            "source_name": f.name,
        }
        for f in schema
    ]


class Lake:
    """A lake with inputs, and one dataset that runs write into: what the server would do around a task."""

    def __init__(self, folder):
        self.folder = folder
        self.lake = folder / "home" / "lake"
        self.lake.mkdir(parents=True)
        self.inputs = []
        self.files = []  # of the target, as the manifest has them
        self.schema = None
        self.snapshot = None
        self.runs = 0

    def add_input(self, alias, *tables, schema=None, format="parquet", texts=(), extension=None):
        files = []
        for table in tables:
            path = self.lake / "bronze" / alias / f"{len(files)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path)
            files.append({"path": str(path), "rows": table.num_rows})
        for text in texts:
            path = self.lake / "bronze" / alias / f"{len(files)}.{extension or format}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            files.append({"path": str(path), "rows": 0})
        self.inputs.append(
            {
                "alias": alias,
                "dataset": alias,
                "layer": "bronze",
                "snapshot": 1,
                "format": format,
                "schema": schema or columns_of(tables[0].schema),
                "files": files,
            }
        )

    def payload(self, sql, **job):
        self.runs += 1
        run_id = f"{self.runs:026d}"
        staging = self.lake / ".staging" / run_id
        staging.mkdir(parents=True)
        return {
            "version": 1,
            "kind": "dataset",
            "run_id": run_id,
            "pipeline_run_id": "p" * 26,
            "attempt": 1,
            "run_time": f"2026-11-25T10:00:{self.runs:02d}.000000Z",
            "lake": str(self.lake),
            "staging": str(staging),
            "memory": job.pop("memory", 256 << 20),
            "threads": 2,
            "pipeline": {"id": "p", "name": "P", "slug": "p", "environment": "dev"},
            "job": {
                "name": "Out",
                "slug": "out",
                "dataset": "out",
                "layer": "silver",
                "sql": sql,
                "refresh_mode": "full",
                "merge_keys": [],
                "partition_mode": "none",
                "partition_pattern": None,
                "filename_pattern": "{timestamp}_{filename}",
                "compression": "snappy",
                "output_schema": None,
                **job,
            },
            "local_roots": [],
            "target": {
                "dataset": "out",
                "layer": "silver",
                "folder": "silver/out",
                "snapshot": self.snapshot,
                "schema": self.schema,
                "files": self.files,
            },
            "watermark": None,
            "ledger": [],
            "uploads": [],
            "inputs": self.inputs,
        }

    def task(self, name, payload):
        return subprocess.run(
            [str(flowforge.PROGRAM), "task", name],
            input=json.dumps(payload).encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )

    def ask(self, name, sql, ok=True, **job):
        extra = job.pop("extra", {})
        done = self.task(name, {**self.payload(sql, **job), **extra})
        answer = json.loads(done.stdout)
        assert (done.returncode == 0) == ok, (answer, done.stderr)
        return answer if ok else answer["error"]

    def run(self, sql, ok=True, **job):
        payload = self.payload(sql, **job)
        before = self.listing()
        done = self.task("run", payload)
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert events[0]["event"] == "started"
        finished = events[-1]
        assert finished["event"] == "finished"
        if not ok:
            assert finished["outcome"] == "failed", finished
            assert self.listing() == before  # what was there is as it was
            return finished["error"]
        assert finished["outcome"] == "completed", finished
        self.check(payload, finished["result"])
        self.commit(payload, finished["result"])
        return finished["result"]

    def listing(self):
        """All files but staged ones, which go with the run."""
        found = {}
        for path, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name != ".staging"]
            for name in names:
                full = os.path.join(path, name)
                found[full] = os.lstat(full).st_mtime_ns
        return found

    def check(self, payload, result):
        rows = result["rows"]
        assert rows["read"] == rows["written"] + rows["rejected"] + rows["deduped"] + rows["filtered"]
        fresh = [f for f in result["files"] if f.get("rewrites") is None]
        assert sum(f["rows"] for f in fresh) == rows["written"]
        rewritten = [f for f in result["files"] if f.get("rewrites") is not None]
        assert {f["rewrites"] for f in rewritten} <= set(result["removes"])
        removed = sum(f["rows"] for f in self.files if f["id"] in result["removes"])
        assert removed - sum(f["rows"] for f in rewritten) == rows["replaced"]
        for file in result["files"]:
            staged = os.path.join(payload["staging"], file["staged"])
            meta = pq.ParquetFile(staged).metadata
            assert meta.num_rows == file["rows"]
            assert os.path.getsize(staged) == file["bytes"]
            assert file["path"].startswith("silver/out/")
            relative = file["path"].removeprefix("silver/out/")
            assert file["partition"] == os.path.dirname(relative)
            assert not (self.lake / file["path"]).exists()
        assert sum(f["bytes"] for f in result["files"]) == result["bytes_out"]

    def commit(self, payload, result):
        gone = {f["id"] for f in self.files} if result["replace_all"] else set(result["removes"])
        self.files = [f for f in self.files if f["id"] not in gone]
        self.snapshot = (self.snapshot or 0) + 1
        for number, file in enumerate(result["files"]):
            final = self.lake / file["path"]
            final.parent.mkdir(parents=True, exist_ok=True)
            os.rename(os.path.join(payload["staging"], file["staged"]), final)
            kept = {key: file[key] for key in ("path", "rows", "bytes", "partition", "format")}
            self.files.append({**kept, "id": self.snapshot * 1000 + number, "source_uri": None})
        self.schema = result["schema"]

    def rows(self):
        """All rows of the target, as dicts; columns that a file lacks are null."""
        found = []
        for file in self.files:
            for row in pq.ParquetFile(self.lake / file["path"]).read().to_pylist():
                found.append({c["name"]: row.get(c["name"]) for c in self.schema})
        return found
