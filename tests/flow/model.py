"""DESIGN 3.2 once more, slowly and in other words: which type a column of texts has, and which values."""

import datetime
import math
import re

NULL, BOOLEAN, INT53, INT64, DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ, STRING, JSON = (
    "null boolean int53 int64 double date timestamp timestamptz string json".split()
)
TYPES = {
    NULL: "string",
    BOOLEAN: "boolean",
    INT53: "bigint",
    INT64: "bigint",
    DOUBLE: "double",
    DATE: "date",
    TIMESTAMP: "timestamp",
    TIMESTAMPTZ: "timestamptz",
    STRING: "string",
    JSON: "json",
}
# What each class may be read as beside itself; the join is the least class that both can be read as.
WIDER = {
    NULL: {NULL, BOOLEAN, INT53, INT64, DOUBLE, DATE, TIMESTAMP, TIMESTAMPTZ, STRING, JSON},
    BOOLEAN: {BOOLEAN, STRING, JSON},
    INT53: {INT53, INT64, DOUBLE, STRING, JSON},
    INT64: {INT64, STRING, JSON},
    DOUBLE: {DOUBLE, STRING, JSON},
    DATE: {DATE, TIMESTAMP, STRING, JSON},
    TIMESTAMP: {TIMESTAMP, STRING, JSON},
    TIMESTAMPTZ: {TIMESTAMPTZ, STRING, JSON},
    STRING: {STRING, JSON},
    JSON: {JSON},
}
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
REAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
MOMENT = re.compile(
    r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
    r"([T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(:(?P<S>[0-9]{2})(\.(?P<f>[0-9]+))?)?"
    r"( ?(?P<z>Z|(?P<sign>[+-])(?P<zh>[0-9]{2})(:?(?P<zm>[0-9]{2}))?))?)?"
)
UTC = datetime.UTC


def join(a, b):
    both = WIDER[a] & WIDER[b]
    return max(both, key=lambda one: len(WIDER[one]))


def moment(text):
    """(class, value) of an ISO 8601 date or time, else None."""
    match = MOMENT.fullmatch(text)
    if not match:
        return None
    part = match.groupdict()
    try:
        day = datetime.date(int(part["y"]), int(part["m"]), int(part["d"]))
        if part["H"] is None:
            return DATE, day
        fraction = part["f"] or ""
        if fraction[6:].strip("0"):
            return None
        micros = int((fraction + "000000")[:6])
        value = datetime.datetime(
            day.year, day.month, day.day, int(part["H"]), int(part["M"]), int(part["S"] or 0), micros
        )
        if part["z"] is None:
            return TIMESTAMP, value
        if part["z"] != "Z":
            hours, minutes = int(part["zh"]), int(part["zm"] or 0)
            if hours > 23 or minutes > 59:
                return None
            away = datetime.timedelta(hours=hours, minutes=minutes)
            value = value - away if part["sign"] == "+" else value + away
        return TIMESTAMPTZ, value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def number(text):
    if INTEGER.fullmatch(text) and text != "-0":
        value = int(text)
        if not -(2**63) <= value < 2**63:
            return None
        return (INT53 if abs(value) <= 2**53 else INT64), value
    if REAL.fullmatch(text) and not re.match(r"-?0[0-9]", text):
        if re.fullmatch(r"-?[0-9]+", text) and text != "-0":
            return None
        value = float(text)
        return (DOUBLE, value) if math.isfinite(value) else None
    return None


def classify(text):
    """(class, value) of one cell that is not null."""
    if text in ("true", "True", "TRUE"):
        return BOOLEAN, True
    if text in ("false", "False", "FALSE"):
        return BOOLEAN, False
    return moment(text) or number(text) or (STRING, text)


def read_as(kind, text, found):
    """The value of a cell of class found[0] in a column of class `kind`."""
    if kind == STRING:
        return text
    if kind == DOUBLE:
        return float(text)
    if kind == TIMESTAMP and found[0] == DATE:
        return datetime.datetime.combine(found[1], datetime.time())
    return found[1]


def infer(cells):
    """(type name, values) of a column of texts, None standing for null."""
    kind = NULL
    found = [None if cell is None else classify(cell) for cell in cells]
    for one in found:
        if one is not None:
            kind = join(kind, one[0])
    return TYPES[kind], [
        None if cell is None else read_as(kind, cell, one) for cell, one in zip(cells, found, strict=True)
    ]


class Nested:
    """A JSON object or array by its text."""

    def __init__(self, text):
        self.text = text


class Number:
    """A JSON number by its text."""

    def __init__(self, text):
        self.text = text


def classify_json(value):
    """(class, value, text as a string column shows it, JSON text); strings are str, numbers Number."""
    if isinstance(value, bool):
        text = "true" if value else "false"
        return BOOLEAN, value, text, text
    if isinstance(value, Number):
        kind, plain = number(value.text) or (STRING, value.text)
        return kind, plain, value.text, value.text
    if isinstance(value, Nested):
        return JSON, value.text, value.text, value.text
    kind, plain = moment(value.text) or (STRING, value.text)
    return kind, plain, value.text, value.written


class Text:
    """A JSON string: what it says and how it is written, quotes and escapes included."""

    def __init__(self, text, written):
        self.text, self.written = text, written


def infer_json(values):
    """(type name, values) of one key's values over all records; None is null or a missing key."""
    kind = NULL
    found = [None if value is None else classify_json(value) for value in values]
    for one in found:
        if one is not None:
            kind = join(kind, one[0])
    out = []
    for one in found:
        if one is None:
            out.append(None)
        elif kind == JSON:
            out.append(one[3])
        else:
            out.append(read_as(kind, one[2], one))
    return TYPES[kind], out
