"""Ingest tasks from a database: a lake with the server's books, and a connection."""

import test_task


class DbLake(test_task.Lake):
    def __init__(self, folder, kind, config):
        super().__init__(folder)
        self.connection = {"id": "c1", "name": "source", "kind": kind, "config": config}

    def payload(self, **job):
        extra = {key: job.pop(key) for key in ("range", "memory", "threads") if key in job}
        config = {key: job.pop(key) for key in ("table", "query", "safety_lag_seconds") if key in job}
        job = {"source_type": "db_query", "format": None, "config": config} | job
        return super().payload(**job) | {"connection": self.connection} | extra

    def finished(self, payload=None, **job):
        """The last event, whatever came of the run."""
        events, code = test_task.task("run", payload or self.payload(**job))
        assert code == 0
        return events[-1]

    def error(self, **job):
        finished = self.finished(**job)
        assert finished["outcome"] == "failed", finished
        return finished["error"]

    def types(self):
        return {column["name"]: column["type"] for column in self.schema}

    def one(self):
        """The only row, as a dict."""
        rows = self.dicts()
        assert len(rows) == 1
        return rows[0]

    def dicts(self):
        return [row for f in self.files for row in test_task.pq.read_table(self.root / f["path"]).to_pylist()]
