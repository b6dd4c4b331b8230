"""Runs FlowForge and its peers side by side on the same files and writes the tables.

    python bench/run.py --flowforge PATH --data DIR [--size 880MB] [--repeat 5] [--only NAME]
                        [--out FILE] [--json FILE] [--peers-only]

Every measurement is one whole fresh process. The tools take turns (A B C, A B C, ...), so that
a slow minute of the machine hits all of them. See bench/README.md.

Exit code: 0, or 1 when FlowForge failed or an output does not hold the same values.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

# This process stays small and imports none of the peers: Linux counts the memory of the
# process that starts another into the peak of the one that is started.

BENCH = Path(__file__).resolve().parent
THREADS = 2
TIMEOUT_SECONDS = 600
MEBIBYTE = 1 << 20
MEMORY_BAR_MIB = 256
SIZE_BAR = 1.05
DEFAULT_BYTES = 880_000_000
DEFAULT_NDJSON_ROWS = 2_000_000


@dataclasses.dataclass(frozen=True)
class Workload:
    """A data set and what FlowForge has to reach on it."""

    name: str
    title: str
    suffix: str  # of the input file
    table: str  # the types in peers/tables.py
    bars: dict  # peer -> FlowForge is to be at least this many times as fast
    by_default: bool = True

    @property
    def format(self):
        return self.suffix.lstrip(".")


WORKLOADS = [
    Workload("lineitem-csv", "16-column CSV", ".csv", "lineitem", {"duckdb": 4.0, "polars": 2.5}),
    Workload("lineitem-ndjson", "The same rows as NDJSON", ".ndjson", "lineitem", {"duckdb": 3.0, "polars": 3.0}),
    Workload("quoted-csv", "Quoted multi-line text CSV", ".csv", "quoted", {"duckdb": 3.0, "polars": 2.0}),
    Workload("wide-csv", "200-column CSV with nulls", ".csv", "wide", {}, by_default=False),
]


@dataclasses.dataclass(frozen=True)
class Tool:
    """One way to do the work."""

    name: str
    family: str  # flowforge, duckdb or polars
    settings: str  # for the reader
    options: tuple = ()  # of the script in peers/
    ordered: bool = True
    is_default: bool = False  # the bars are against these


def tools_for(workload, peers_only):
    read = "read_json" if workload.format == "ndjson" else "read_csv"
    scan = "scan_ndjson" if workload.format == "ndjson" else "scan_csv, try_parse_dates"
    typed = ("--types", workload.table)
    tools = [
        Tool("flowforge", "flowforge", "convert, inferred types"),
        Tool("duckdb", "duckdb", f"COPY (FROM {read})", is_default=True),
        Tool("duckdb-unordered", "duckdb", "preserve_insertion_order=false", ("--unordered",), ordered=False),
        Tool("duckdb-typed", "duckdb", "all types given", typed),
        Tool("duckdb-typed-unordered", "duckdb", "both", (*typed, "--unordered"), ordered=False),
        Tool("polars", "polars", f"{scan}, sink_parquet", is_default=True),
        Tool("polars-typed", "polars", "schema given", typed),
    ]
    return tools[1:] if peers_only else tools


@dataclasses.dataclass
class Run:
    """One process, measured."""

    wall: float
    cpu: float
    peak_rss: int  # bytes
    failure: str = ""  # empty when it did its work
    others: float = 0.0  # share of all cores that other processes took meanwhile
    output_bytes: int = 0


class TimedOut(Exception):
    pass


def raise_timed_out(_signal, _frame):
    raise TimedOut


def machine_busy_seconds():
    """CPU time that all processes of the machine have used so far, the host's share included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_process(command, log, env=None):
    """Runs a whole process and measures it; kills it and its children after TIMEOUT_SECONDS."""
    with open(log, "wb") as output:
        busy = machine_busy_seconds()
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True
        )
        failure = ""
        try:
            signal.setitimer(signal.ITIMER_REAL, TIMEOUT_SECONDS)
            _, status, usage = os.wait4(process.pid, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except BaseException as reason:  # also the reader's Ctrl-C leaves no process behind
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.killpg(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
            if not isinstance(reason, TimedOut):
                raise
            failure = f"not done after {TIMEOUT_SECONDS} s"
        wall = time.perf_counter() - start
        busy = machine_busy_seconds() - busy
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 and not failure:
        failure = f"exit {process.returncode}"
    cpu = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy - cpu) / (wall * os.cpu_count())
    return Run(wall, cpu, usage.ru_maxrss * 1024, failure, others)


def last_line(path):
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def warm_page_cache(path):
    block = bytearray(MEBIBYTE)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(block):
            pass


def write_back(path):
    """Outside of the measured time, so that one tool's writing does not slow the next one."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def note(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """Where things are, and the processes that are run."""

    def __init__(self, args):
        self.args = args
        self.data = Path(args.data).resolve()
        self.work = self.data / "runs"
        self.work.mkdir(parents=True, exist_ok=True)
        self.flowforge = None if args.peers_only else Path(args.flowforge).resolve()
        self.python = args.python
        self.env = {**os.environ, "POLARS_MAX_THREADS": str(THREADS), "PYTHONDONTWRITEBYTECODE": "1"}

    def build(self, name, *libraries):
        """Compiles bench/NAME.c into the data directory when it is newer than the program."""
        source, program = BENCH / f"{name}.c", self.data / name
        newest = max(Path(each).stat().st_mtime for each in [source, *libraries] if not str(each).startswith("-"))
        if not program.exists() or program.stat().st_mtime < newest:
            command = [os.environ.get("CC", "cc"), "-O2", "-iquote", BENCH.parent / "src", "-o", program, source]
            subprocess.run([*command, *libraries], check=True)
        return program

    def input_for(self, workload):
        """The data set, generated unless it is there and made by the same generator."""
        if workload.format == "ndjson":
            rows = DEFAULT_NDJSON_ROWS * self.args.size // DEFAULT_BYTES
            amount, label = ["--rows", str(rows)], f"{rows}-rows"
        else:
            amount, label = ["--bytes", str(self.args.size)], f"{self.args.size}-bytes"
        path = self.data / f"{workload.name}-{label}{workload.suffix}"
        recipe = path.with_name(path.name + ".recipe")
        source = hashlib.sha256((BENCH / "generate.c").read_bytes()).hexdigest()
        wanted = f"{workload.name} {' '.join(amount)} generate.c sha256 {source}\n"
        if not path.exists() or not recipe.exists() or recipe.read_text() != wanted:
            note(f"generating {path.name}")
            recipe.unlink(missing_ok=True)
            subprocess.run([self.build("generate"), workload.name, *amount, "-o", path], check=True)
            write_back(path)
            recipe.write_text(wanted)
        return path

    def output_for(self, workload, tool):
        return self.work / f"{workload.name}.{tool.name}.parquet"

    def report_for(self, workload, number):
        return self.work / f"{workload.name}.report-{number}.json"

    def command(self, workload, tool, source, target, number):
        if tool.family == "flowforge":
            report = self.report_for(workload, number)
            report.unlink(missing_ok=True)
            options = ["--compression", "snappy", "--threads", str(THREADS), "--report", report]
            return [self.flowforge, "convert", source, target, *options]
        script = BENCH / "peers" / f"{tool.family}_{workload.format}.py"
        return [self.python, script, source, target, *tool.options]

    def measure(self, workload, tool, source, number):
        target = self.output_for(workload, tool)
        target.unlink(missing_ok=True)
        log = target.with_suffix(".log")
        warm_page_cache(source)
        run = run_process(self.command(workload, tool, source, target, number), log, self.env)
        if not run.failure and not target.exists():
            run.failure = "no output"
        if run.failure:
            run.failure += f": {last_line(log)}"
        else:
            run.output_bytes = target.stat().st_size
            write_back(target)
        return run

    def measure_import(self, module):
        """Starting Python, importing the peer and leaving again."""
        return run_process([self.python, "-c", f"import {module}"], self.work / f"import-{module}.log", self.env)

    def ask(self, *command):
        """(exit code, JSON) of one of the scripts beside this one."""
        done = subprocess.run([self.python, *command], check=False, capture_output=True, text=True, env=self.env)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            lines = done.stderr.strip().splitlines()
            return 2, {"equal": False, "reason": lines[-1] if lines else f"exit {done.returncode}"}


@dataclasses.dataclass
class Result:
    """All runs of one tool on one workload."""

    tool: Tool
    runs: list
    layout: dict = dataclasses.field(default_factory=dict)
    check: dict = dataclasses.field(default_factory=dict)

    @property
    def failure(self):
        return next((run.failure for run in self.runs if run.failure), "")

    @property
    def walls(self):
        return [run.wall for run in self.runs]

    @property
    def median(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(run.cpu for run in self.runs)

    @property
    def others(self):
        return max(run.others for run in self.runs)

    @property
    def peak_rss(self):
        return max(run.peak_rss for run in self.runs)

    @property
    def output_bytes(self):
        return self.runs[-1].output_bytes


@dataclasses.dataclass
class Outcome:
    """All results on one workload."""

    workload: Workload
    source: Path
    results: list
    imports: dict  # peer -> median seconds
    limits: list
    stages: list

    @property
    def reference(self):
        """What the others are compared with: FlowForge, or the first peer without it."""
        return next((result for result in self.results if not result.failure), None)

    @property
    def flowforge(self):
        first = self.results[0]
        return first if first.tool.family == "flowforge" and not first.failure else None

    @property
    def passed(self):
        """FlowForge did its work and every output that is there holds the same values."""
        if self.results[0].tool.family == "flowforge" and self.results[0].failure:
            return False
        return all(result.failure or result.check.get("equal", True) for result in self.results)


def read_stages(bench, workload, flowforge):
    """The stages of FlowForge's median run, from its own report."""
    if not flowforge or flowforge.failure:
        return []
    middle = sorted(range(len(flowforge.runs)), key=lambda number: flowforge.runs[number].wall)
    path = bench.report_for(workload, middle[(len(middle) - 1) // 2])
    try:
        return json.loads(path.read_text()).get("stages", [])
    except (OSError, ValueError, AttributeError):
        return []


def read_limits(bench, source):
    """Seconds for reading, for the structural index and for compressing the same pages, each by itself."""
    pages = bench.work / "pages.parquet"
    try:
        program = bench.build("limits", bench.flowforge.parent / "libflowforge.a", "-lsnappy")
        convert = [bench.flowforge, "convert", source, pages, "--compression", "none", "--overwrite", "--quiet"]
        subprocess.run(convert, check=True)
        text = subprocess.run([program, source, "--pages", pages], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as reason:
        sys.exit(f"run.py: the limits could not be measured: {reason}")
    finally:
        pages.unlink(missing_ok=True)
    return [json.loads(line) for line in text.splitlines()]


def run_workload(bench, workload):
    source = bench.input_for(workload)
    results = [Result(tool, []) for tool in tools_for(workload, bench.args.peers_only)]
    imports = {module: [] for module in ("duckdb", "polars")}
    for number in range(bench.args.repeat):
        for module, seconds in imports.items():
            run = bench.measure_import(module)
            if run.failure:
                sys.exit(f"run.py: cannot import {module} with {bench.python}: {run.failure}")
            seconds.append(run.wall)
        for result in results:
            if result.failure:
                continue
            run = bench.measure(workload, result.tool, source, number)
            result.runs.append(run)
            figures = f"{run.wall:.2f} s, {run.peak_rss / MEBIBYTE:.0f} MiB, others {100 * run.others:.0f} %"
            turn = f"{workload.name} {number + 1}/{bench.args.repeat} {result.tool.name}"
            note(f"{turn}: {run.failure or figures}")

    flowforge = results[0] if results[0].tool.family == "flowforge" else None
    outcome = Outcome(
        workload,
        source,
        results,
        {module: statistics.median(seconds) for module, seconds in imports.items()},
        read_limits(bench, source) if flowforge and not flowforge.failure else [],
        read_stages(bench, workload, flowforge),
    )
    check_outputs(bench, outcome)
    if not bench.args.keep:
        for result in results:
            bench.output_for(workload, result.tool).unlink(missing_ok=True)
    return outcome


def check_outputs(bench, outcome):
    """Compares every output with the reference, and notes how each file is laid out."""
    for result in outcome.results:
        if result.failure:
            continue
        target = bench.output_for(outcome.workload, result.tool)
        _, result.layout = bench.ask(BENCH / "describe_parquet.py", target)
        if result is outcome.reference:
            continue
        against = bench.output_for(outcome.workload, outcome.reference.tool)
        order = [] if result.tool.ordered else ["--unordered"]
        _, result.check = bench.ask(BENCH / "check_equal.py", against, target, *order)
        note(f"{outcome.workload.name} {result.tool.name}: {'equal' if result.check['equal'] else result.check}")


# ---- the document ----


def table(header, rows):
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join('---' for _ in header)}|"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def against_bar(value, bar, reached):
    return f"{bar:g} ({'reached' if reached else 'MISSED'}: {value:.2f})"


def result_row(outcome, result):
    """One line of the main table; ratios only for outputs that hold the same values."""
    tool, base = result.tool, outcome.flowforge
    head = [tool.name, tool.settings]
    if result.failure:
        return [*head, f"DNF ({result.failure})", *[""] * 11]
    bytes_in = outcome.source.stat().st_size
    equal = "(reference)" if result is outcome.reference else "yes" if result.check["equal"] else "NOT EQUAL"
    ratio = bare_ratio = bar_text = size_ratio = ""
    if base and result is not base:
        if result.check["equal"]:
            times = result.median / base.median
            ratio = f"{times:.2f}"
            bare_ratio = f"{(result.median - outcome.imports[tool.family]) / base.median:.2f}"
            size_ratio = f"{base.output_bytes / result.output_bytes:.3f}"
            bar = outcome.workload.bars.get(tool.family)
            if bar and tool.is_default:
                bar_text = against_bar(times, bar, times >= bar)
        else:
            ratio = bare_ratio = size_ratio = "NOT EQUAL"
    return [
        *head,
        f"{result.median:.2f}",
        f"{min(result.walls):.2f} - {max(result.walls):.2f}",
        f"{bytes_in / 1e6 / result.median:.0f}",
        ratio,
        bare_ratio,
        bar_text,
        f"{result.cpu:.2f}",
        f"{100 * result.others:.0f} %",
        f"{result.peak_rss / MEBIBYTE:.0f}",
        f"{result.output_bytes / MEBIBYTE:.1f}",
        size_ratio,
        equal,
    ]


RESULT_HEADER = [
    "tool",
    "settings",
    "median s",
    "min - max s",
    "MB/s",
    "ratio",
    "ratio without import",
    "bar",
    "CPU s",
    "others",
    "peak RSS MiB",
    "output MiB",
    "FlowForge size / its size",
    "equal",
]


def other_bars(outcome):
    base = outcome.flowforge
    if not base:
        return []
    peak = base.peak_rss / MEBIBYTE
    lines = [f"- Peak memory in MiB, bar at most {against_bar(peak, MEMORY_BAR_MIB, peak <= MEMORY_BAR_MIB)}"]
    for result in outcome.results:
        if result.tool.is_default and not result.failure and result.check["equal"]:
            size = base.output_bytes / result.output_bytes
            lines.append(
                f"- Output size against {result.tool.name}, bar at most {against_bar(size, SIZE_BAR, size <= SIZE_BAR)}"
            )
    return lines


def layout_row(result):
    rows = result.layout.get("row_group_rows", {})
    return [
        result.tool.name,
        result.layout.get("row_groups", "?"),
        f"{rows.get('min', '?')} / {rows.get('median', '?')} / {rows.get('max', '?')}",
        ", ".join(result.layout.get("compression", [])),
        ", ".join(result.layout.get("encodings", [])),
        "yes" if result.layout.get("statistics") else "no",
        f"{result.layout.get('page_bytes_uncompressed', 0) / MEBIBYTE:.1f}",
    ]


LAYOUT_HEADER = [
    "tool",
    "row groups",
    "rows in each (min / median / max)",
    "codec",
    "encodings",
    "statistics",
    "uncompressed MiB",
]


def check_lines(outcome):
    """Columns that had to be cast to be compared, and the first differences."""
    lines = []
    for result in outcome.results:
        check = result.check
        if check.get("cast"):
            lines.append(f"- {result.tool.name}, compared after a cast: {'; '.join(check['cast'])}")
        if check and not check["equal"]:
            detail = {key: check[key] for key in ("reason", "differences", "first") if key in check}
            lines.append(f"- {result.tool.name}, NOT EQUAL: `{json.dumps(detail, ensure_ascii=False)}`")
    return lines


def limits_section(outcome):
    lines = ["What bounds it:", ""]
    rows = [
        [limit["limit"], f"{limit['seconds']:.3f}", f"{limit['mb_per_s']:.0f}", f"{limit['bytes'] / MEBIBYTE:.1f}"]
        for limit in outcome.limits
    ]
    lines.append(table(["limit", "seconds", "MB/s", "MiB"], rows))
    if outcome.stages:
        wall = outcome.flowforge.median
        rows = [
            [
                stage.get("name", "?"),
                f"{stage.get('seconds', 0):.3f}",
                f"{100 * stage.get('seconds', 0) / wall:.0f} %",
                f"{stage.get('bytes', 0) / MEBIBYTE:.1f}",
            ]
            for stage in outcome.stages
        ]
        lines += [
            "",
            "Stages of FlowForge's median run, as it reports them (seconds are summed over threads):",
            "",
            table(["stage", "seconds", "of the median wall time", "MiB"], rows),
        ]
    return lines


def outcome_section(outcome):
    size = outcome.source.stat().st_size
    rows = outcome.reference.layout.get("rows", "?") if outcome.reference else "?"
    lines = [
        f"## {outcome.workload.title} (`{outcome.workload.name}`)",
        "",
        f"{size / 1e6:.0f} MB, {rows} rows. Python start and import alone: "
        + ", ".join(f"{module} {seconds:.2f} s" for module, seconds in outcome.imports.items())
        + ".",
        "",
        table(RESULT_HEADER, [result_row(outcome, result) for result in outcome.results]),
        "",
    ]
    extra = other_bars(outcome) + check_lines(outcome)
    lines += [*extra, ""] if extra else []
    lines += [table(LAYOUT_HEADER, [layout_row(r) for r in outcome.results if not r.failure]), ""]
    return "\n".join([*lines, *limits_section(outcome), ""])


def command_line(*command):
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine_rows(bench):
    cpu = next((line for line in command_line("lscpu").splitlines() if line.startswith("Model name")), ":?")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    versions = command_line(
        bench.python,
        "-c",
        "import duckdb, polars, pyarrow;"
        "print(f'DuckDB {duckdb.__version__}, Polars {polars.__version__}, pyarrow {pyarrow.__version__}')",
    )
    rows = [
        ["processor", cpu.split(":", 1)[1].strip()],
        ["cores used", f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}"],
        ["memory", f"{int(memory.split()[1]) / (1 << 20):.1f} GiB"],
        ["kernel", platform.release()],
        ["Python", platform.python_version()],
        ["peers", versions or "?"],
    ]
    if bench.flowforge:
        rows.append(["FlowForge", command_line(bench.flowforge, "--version").split("\n")[0] or "?"])
    return rows


METHOD = """\
Written by `bench/run.py`; the data comes from `bench/generate.c` with a fixed seed.

- Each run is one whole fresh process; the time runs from its start to its end. For the peers
  that holds the start of Python and the import, so there is a second ratio without both.
- The tools take turns, {repeat} rounds; the table has the median, the shortest and the longest.
- {threads} threads each. Before every run the old output is removed and the input is read once, so
  it comes from the page cache; after it the output is written back to the disk, unmeasured.
- CPU s is user and system time, the median. "Others" is the share of the machine that other
  processes took during the most disturbed run: where it is not near zero, measure again.
- Peak RSS is the largest of all runs, as the kernel counts it.
- Ratio: the tool's median divided by FlowForge's. It counts only where the output holds the same
  values, compared one by one with pyarrow (as a multiset of rows where a setting gives up the order).
- Every tool writes Parquet with snappy and otherwise its own defaults; the second table of each
  workload shows the row groups, encodings and statistics which that gives."""


def write_document(bench, outcomes):
    parts = [
        "# Benchmarks",
        "",
        METHOD.format(repeat=bench.args.repeat, threads=THREADS),
        "",
        table(["machine", datetime.date.today().isoformat()], machine_rows(bench)),
        "",
        *(outcome_section(outcome) for outcome in outcomes),
    ]
    return "\n".join(parts).rstrip() + "\n"


def results_json(outcomes):
    return [
        {
            "workload": outcome.workload.name,
            "input_bytes": outcome.source.stat().st_size,
            "import_seconds": outcome.imports,
            "limits": outcome.limits,
            "stages": outcome.stages,
            "tools": [
                {
                    "tool": result.tool.name,
                    "failure": result.failure,
                    "runs": [dataclasses.asdict(run) for run in result.runs],
                    "layout": result.layout,
                    "check": result.check,
                }
                for result in outcome.results
            ],
        }
        for outcome in outcomes
    ]


def parse_size(text):
    factors = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
    factor = factors.get(text[-2:].upper())
    try:
        size = int(text[:-2]) * factor if factor else int(text)
    except ValueError:
        size = 0
    if size <= 0:
        raise argparse.ArgumentTypeError(f"not a size: {text} (for example 880MB)")
    return size


def parse_arguments():
    venv = Path(os.environ.get("FLOWFORGE_VENV") or BENCH.parent / ".venv")
    parser = argparse.ArgumentParser(description="FlowForge and its peers side by side.")
    parser.add_argument("--flowforge", help="the program to measure")
    parser.add_argument("--data", required=True, help="directory for data sets and outputs, outside the repository")
    parser.add_argument("--size", type=parse_size, default=DEFAULT_BYTES, help="of each CSV (default 880MB)")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", action="append", choices=[workload.name for workload in WORKLOADS])
    parser.add_argument("--out", help="the document to write; without it, standard output")
    parser.add_argument("--json", help="also write every single measurement here")
    parser.add_argument("--python", default=str(venv / "bin" / "python"), help="with duckdb, polars, pyarrow")
    parser.add_argument("--peers-only", action="store_true", help="a baseline without FlowForge")
    parser.add_argument("--keep", action="store_true", help="keep the outputs")
    args = parser.parse_args()
    if not args.peers_only and not args.flowforge:
        parser.error("--flowforge is needed (or --peers-only)")
    if args.repeat < 1:
        parser.error("--repeat starts at 1")
    return args


def main():
    args = parse_arguments()
    signal.signal(signal.SIGALRM, raise_timed_out)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    bench = Bench(args)
    wanted = [w for w in WORKLOADS if (w.name in args.only if args.only else w.by_default)]
    outcomes = [run_workload(bench, workload) for workload in wanted]
    document = write_document(bench, outcomes)
    if args.out:
        Path(args.out).write_text(document)
    else:
        print(document, end="")
    if args.json:
        Path(args.json).write_text(json.dumps(results_json(outcomes), indent=1) + "\n")
    sys.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


if __name__ == "__main__":
    main()
