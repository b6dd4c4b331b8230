"""Documents against PyYAML, in both directions: it reads what FlowForge writes, and FlowForge reads what it writes."""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ALPHABET = list("abyYnNoOtTfFeE01289 .:-#'\"\\{}[],&*!|>%@`?=~_+/\t\n") + [
    "\n  ",
    "é",
    "😀",
    "\u2028",
    "\x85",
    "\x01",
    "\r",
]
WORDS = ["yes", "No", "on", "null", "~", "true", "1e3", "0x1f", "0o7", "017", "1_000", "12:30", "2026-11-25", "<<", "="]
# PyYAML, which is of YAML 1.1, leaves these plain where 1.1 takes them for texts.
NUMBER_OF_1_2 = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|0o[0-7]+")


@pytest.fixture(scope="module")
def convert():
    program = Path(os.environ.get("FLOWFORGE", "build/release/flowforge")).parent / "tests/document/document_dump"
    if not program.exists():
        pytest.fail(f"{program} is missing: make test-programs")

    def run(form, text):
        done = subprocess.run([program.resolve(), form], input=text.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def text(rng):
    if rng.random() < 0.1:
        return rng.choice(WORDS)
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(12)))


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 5)
    if kind < 2:
        return text(rng)
    if kind == 2:
        return rng.choice([None, True, False])
    if kind == 3:
        return rng.randrange(-(2**63), 2**63)
    if kind == 4:
        return rng.choice([0.5, -1.25, 3.0, 0.1, 12345.678])
    if kind < 7:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {text(rng): value(rng, depth + 1) for _ in range(rng.randrange(4))}


@pytest.mark.parametrize("seed", range(8))
def test_pyyaml_reads_what_we_write(convert, seed):
    rng = random.Random(seed)
    document = {"values": [value(rng) for _ in range(150)]}
    written = convert("yaml", json.dumps(document))
    assert yaml.safe_load(written) == document
    assert json.loads(convert("json", written)) == document


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("style", [None, '"', "|"])
@pytest.mark.parametrize("flow", [False, True])
def test_we_read_what_pyyaml_writes(convert, seed, style, flow):
    rng = random.Random(1000 + seed)
    texts = [t for t in (text(rng) for _ in range(150)) if style or not NUMBER_OF_1_2.fullmatch(t)]
    # "---": what begins with a brace is taken for JSON. Texts only: PyYAML tags numbers when it is told to quote everything.
    document = {"texts": texts, "keys": {t: [t] for t in texts}}
    written = yaml.safe_dump(document, default_style=style, default_flow_style=flow, explicit_start=True)
    assert json.loads(convert("json", written)) == document
