"""Random CSV: a table of texts and nulls, a dialect, and the bytes that they make."""

import dataclasses
import random

LINE_ENDS = ("\n", "\r\n", "\r")
PLAIN = "abcdefghijklmnopqrstuvwxyzABC0123456789_.#@!?()[]{}<>=+-*%$&^~`/"
WIDE = "äöüßéèñçÅØ€£漢字かな한국어שלוםعربيЖдё🙂🚀\u00a0\u2028\u0085\ufeffﬁ"
AWKWARD = ('"', "'", ",", ";", "\t", "|", "\n", "\r", "\r\n", "\\", '""', " ", "  ", '","', '\\"', "\\n", ",\n", "::")


@dataclasses.dataclass
class Dialect:
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    end: str = "\n"  # or "mixed"
    final_end: bool = True
    header: bool = True
    quoting: str = "minimal"  # minimal, all, random
    bom: bool = False
    encoding: str = "UTF-8"

    def options(self):
        words = ["--delimiter", self.delimiter.replace("\\", "\\\\"), "--quote", self.quote or "none"]
        words += ["--escape", self.escape or "none", "--header" if self.header else "--no-header"]
        return [*words, "--encoding", self.encoding, "--skip-lines", "0", "--comment", "none"]


def random_dialect(rng):
    d = Dialect()
    d.delimiter = rng.choice([",", ";", "\t", "|", ",", ",", "::", "<|>", "\x01", "~~~~~~~", "¦"])
    d.quote = rng.choice(['"', '"', '"', "'", ""])
    if d.quote:
        d.escape = rng.choice([d.quote, d.quote, d.quote, "\\"])
    else:
        d.escape = rng.choice(["", "", "\\"])
    d.end = rng.choice(["\n", "\n", "\r\n", "\r", "mixed"])
    d.final_end = rng.random() < 0.7
    d.header = rng.random() < 0.8
    d.quoting = rng.choice(["minimal", "minimal", "all", "random"])
    d.bom = rng.random() < 0.15
    return d


def random_text(rng, most=12):
    kind = rng.random()
    if kind < 0.1:
        return ""
    out = []
    for _ in range(rng.randint(1, most)):
        pick = rng.random()
        out.append(rng.choice(PLAIN) if pick < 0.7 else rng.choice(WIDE) if pick < 0.82 else rng.choice(AWKWARD))
    return "".join(out)


def fits_unquoted(text, d):
    """Whether a field can stand without quotes, and escapes cannot help or are not there."""
    if text == "":
        return False
    return not ((d.quote and text.startswith(d.quote)) or d.delimiter in text or "\n" in text or "\r" in text)


def settle(text, d):
    """The nearest text that the dialect can write at all."""
    if d.escape == "\\" or (d.quote and d.escape == d.quote):
        return text
    for bad in (*d.delimiter, "\n", "\r"):
        text = text.replace(bad, "x")
    return text


def ambiguous(text, d):
    """A text whose end makes a delimiter of several bytes begin early, as `:` before `::`."""
    return len(d.delimiter) > 1 and any(text.endswith(d.delimiter[:n]) for n in range(1, len(d.delimiter)))


def field(text, d, rng):
    """How a cell is written; None is null."""
    if text is None:
        return ""
    bare = fits_unquoted(text, d) and not ambiguous(text, d)
    if d.quote:
        if d.quoting == "all" or not bare or (d.quoting == "random" and rng.random() < 0.5):
            if d.escape == "\\":
                return d.quote + text.replace("\\", "\\\\").replace(d.quote, "\\" + d.quote) + d.quote
            return d.quote + text.replace(d.quote, d.quote * 2) + d.quote
        return text.replace("\\", "\\\\") if d.escape == "\\" else text
    if d.escape == "\\":
        for special in ("\\", *dict.fromkeys(d.delimiter), "\n", "\r"):
            text = text.replace(special, "\\" + special)
    return text


def write(rows, names, d, rng):
    """Bytes of the file. A null is an empty field; the empty string needs quotes."""
    lines = []
    if d.header:
        lines.append(d.delimiter.join(field(name, d, rng) for name in names))
    lines += [d.delimiter.join(field(cell, d, rng) for cell in row) for row in rows]
    out = []
    for at, line in enumerate(lines):
        end = rng.choice(LINE_ENDS) if d.end == "mixed" else d.end
        # A lone CR before what begins with LF would be one line end, not two; a blank last line needs its end.
        if end == "\r" and at + 1 < len(lines) and (lines[at + 1] == "" or lines[at + 1].startswith("\n")):
            end = "\r\n"
        last = at + 1 == len(lines)
        out.append(line + ("" if last and not d.final_end and line != "" else end))
    text = "".join(out)
    bom = d.bom or text.startswith("\ufeff")  # what the first cell begins with would be taken for one
    return (("\ufeff" if bom else "") + text).encode(d.encoding)


def random_table(rng, columns=None, rows=None, make=random_text, nulls=0.15):
    columns = columns or rng.choice([1, 2, 2, 3, 4, 7, 20])
    rows = rng.choice([0, 1, 2, 5, 10, 30]) if rows is None else rows
    return [[None if rng.random() < nulls else make(rng) for _ in range(columns)] for _ in range(rows)], columns


def names_of(count):
    return [f"c{at}" for at in range(count)]


def seeded(*key):
    return random.Random("/".join(map(str, key)))
