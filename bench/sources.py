"""Measures databases as sources and writes their section of docs/benchmarks.md.

    python bench/sources.py --flowforge PATH [--rows 10000000] [--repeat 5] [--only NAME] [--peers PYTHON] [--out FILE]

PostgreSQL: the table to Parquet beside `psql -c "COPY ... (FORMAT binary)" > /dev/null` on the same server, which is
started for it. SQLite: the table to Parquet beside a bare sqlite3_step loop (bench/sqlite_loop.c). --peers names a
Python that has connectorx and adbc-driver-postgresql: then they write the same Parquet.
"""

import argparse
import json
import os
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "flow"))
import postgres as real  # noqa: E402

HEADING = "## Databases"
TABLE = """create unlogged table orders (id bigint, customer int, kind smallint, amount numeric(15,2),
rate double precision, paid boolean, ordered date, changed timestamptz, status text, comment varchar(80))"""
ROWS = """insert into orders select g, (g * 7919::bigint) % 1000003, g % 7, ((g * 7919) % 10000000) / 100.0, sqrt(g),
g % 3 = 0, date '2020-01-01' + (g % 2000)::int, timestamptz '2020-01-01Z' + g * interval '1.234567 s',
(array['open', 'paid', 'sent', 'gone'])[1 + g % 4], 'order ' || g || ' of customer ' || (g * 7919::bigint) % 1000003
from generate_series(1::bigint, {rows}) g"""
ADBC = """import sys, adbc_driver_postgresql.dbapi as d, pyarrow.parquet as pq
c = d.connect(sys.argv[1]).cursor(); c.execute("select * from orders"); r = c.fetch_record_batch()
w = pq.ParquetWriter(sys.argv[2], r.schema)
for b in r: w.write_batch(b)
w.close()"""
CONNECTORX = """import sys, connectorx as cx, pyarrow.parquet as pq
pq.write_table(cx.read_sql(sys.argv[1], "select * from orders", return_type="arrow", protocol="binary"), sys.argv[2])"""


def measure(words, repeat, stdin=None):
    """Medians of wall and CPU seconds, and the peak of memory in MiB."""
    walls, cpus = [], []
    for _ in range(repeat):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(stdin)
        walls.append(time.monotonic() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if process.returncode or (stdin and json.loads(out.splitlines()[-1])["outcome"] != "completed"):
            sys.exit(f"{words[:3]}: {(err or out)[-1000:]!r}")
    return statistics.median(walls), statistics.median(cpus), peak_of(words, stdin)


def peak_of(words, stdin):
    """Peak memory in MiB of one more run, by a parent that has no other child."""
    watch = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
    watch += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    done = subprocess.run([sys.executable, "-c", watch, *words], input=stdin, capture_output=True, check=True)
    return int(done.stdout)


def payload(folder, kind, config, roots=()):
    """What the server would hand to `flowforge task run`."""
    staging = f"{folder}/lake/.staging/run"
    job = {
        "id": "j", "slug": "orders", "source_type": "db_query", "dataset": "orders", "partition_mode": "none",
        "compression": "snappy", "config": {"table": "orders"},
    }  # fmt: skip
    return json.dumps(
        {"version": 1, "kind": "ingest", "run_id": "01k00000000000000000000001", "pipeline_run_id": "p", "attempt": 1,
         "run_time": "2026-01-01T00:00:00Z", "lake": f"{folder}/lake", "staging": staging, "memory": 256 << 20,
         "threads": os.cpu_count(), "pipeline": {"id": "p", "name": "p", "slug": "p", "environment": "dev"}, "job": job,
         "local_roots": list(roots), "watermark": None, "ledger": [], "uploads": [], "inputs": [],
         "target": {"dataset": "orders", "layer": "bronze", "folder": "bronze/orders", "snapshot": None, "schema": None,
                    "files": []},
         "connection": {"id": "c", "name": "c", "kind": kind, "config": config}}
    ).encode()  # fmt: skip


def postgres(args, folder):
    rows = []
    with real.PostgresServer(shared_buffers="256MB", max_wal_size="4GB") as server:
        database = server.database()
        database.execute(TABLE)
        database.execute(ROWS.format(rows=args.rows))
        database.execute("vacuum analyze orders")
        copy = ["psql", "-q", database.uri, "-c", "COPY orders TO STDOUT (FORMAT binary)", "-o", "/dev/null"]
        rows.append(("`psql` COPY (FORMAT binary) to /dev/null", *measure(copy, args.repeat)))
        task = [args.flowforge, "task", "run"]
        rows.append(("FlowForge to Parquet", *measure(task, args.repeat, payload(folder, "postgres", database.config))))
        c = database.config
        uri = f"postgresql://{c['user']}:{percent(c['password'])}@127.0.0.1:{c['port']}/{c['database']}"
        for name, script in (("ADBC + pyarrow", ADBC), ("ConnectorX + pyarrow", CONNECTORX)) if args.peers else ():
            words = [args.peers, "-c", script, uri, f"{folder}/peer.parquet"]
            rows.append((name, *measure(words, max(1, args.repeat // 2))))
    return f"PostgreSQL, {args.rows:,} rows of 10 columns", rows


def sqlite(args, folder):
    path, loop = Path(folder) / "orders.db", Path(folder) / "sqlite_loop"
    subprocess.run(["gcc", "-O2", ROOT / "bench" / "sqlite_loop.c", "-o", loop, "-lsqlite3"], check=True)
    n = args.rows // 5
    with sqlite3.connect(path) as c:
        c.execute(
            "create table orders (id integer primary key, customer int, kind int, amount real, paid boolean, ordered "
            "date, changed datetime, status text, comment text)"
        )
        c.execute(
            "with recursive g(n) as (select 1 union all select n + 1 from g where n < ?) insert into orders select n, "
            "(n * 7919) % 1000003, n % 7, ((n * 7919) % 10000000) / 100.0, n % 3 = 0, date('2020-01-01', (n % 2000) || "
            "' days'), datetime('2020-01-01', n || ' seconds'), case n % 3 when 0 then 'open' when 1 then 'paid' else "
            "'sent' end, 'order ' || n || ' of customer ' || (n * 7919) % 1000003 from g",
            (n,),
        )
    c.close()
    rows = [("bare sqlite3_step loop", *measure([str(loop), str(path), "orders"], args.repeat))]
    words = payload(folder, "sqlite", {"path": str(path)}, [str(folder)])
    rows.append(("FlowForge to Parquet", *measure([args.flowforge, "task", "run"], args.repeat, words)))
    return f"SQLite, {n:,} rows of 9 columns", rows


def percent(text):
    return "".join(f"%{b:02X}" for b in text.encode())


def section(tables):
    lines = [HEADING, "", "Medians; CPU is the client's alone; the server ran on the same machine.", ""]
    for title, rows in tables:
        lines += [f"**{title}**", "", "| | seconds | of the first | CPU seconds | peak MiB |", "|---|---|---|---|---|"]
        for name, wall, cpu, peak in rows:
            lines.append(f"| {name} | {wall:.2f} | {wall / rows[0][1]:.2f} x | {cpu:.2f} | {peak or ''} |")
        lines.append("")
    lines.append(f"Load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flowforge", required=True)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only")
    parser.add_argument("--peers")
    parser.add_argument("--out")
    args = parser.parse_args()
    tables = []
    for name, bench in (("postgres", postgres), ("sqlite", sqlite)):
        if args.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder:
                tables.append(bench(args, folder))
    text = section(tables)
    print(text)
    if args.out:
        out = Path(args.out)
        before = out.read_text() if out.exists() else ""
        before = re.sub(rf"^{HEADING}\n.*?(?=^## |\Z)", "", before, flags=re.DOTALL | re.MULTILINE)
        head, server, rest = before.partition("## The server")  # which bench/serve.py writes, to the end
        out.write_text(head.rstrip() + "\n\n" + text + ("\n" + server + rest if server else ""))


if __name__ == "__main__":
    main()
