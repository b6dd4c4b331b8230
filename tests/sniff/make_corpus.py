"""Deterministic dirty CSV files with known truth.

Two parts: "tuning" may be looked at while the sniffer is worked on; "held_out" has other tables, other wording and
other seeds, so that it tells how well the sniffer does on files it was not made for.

    python tests/sniff/make_corpus.py FOLDER     writes the files and truth.json
"""

import json
import random
import sys
from pathlib import Path

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def date(r):
    return (r.randint(2001, 2024), r.randint(1, 12), r.randint(1, 28))


def iso(r):
    return "%04d-%02d-%02d" % date(r)


def slashed(r):
    y, m, d = date(r)
    return "%d/%d/%d" % (m, d, y)


def dotted(r):
    y, m, d = date(r)
    return "%02d.%02d.%d" % (d, m, y)


def clock(r):
    return "%02d:%02d:%02d" % (r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))


def stamp(r):
    return iso(r) + r.choice([" ", "T"]) + clock(r)


def whole(low, high):
    return lambda r: str(r.randint(low, high))


def real(low, high, places=2):
    return lambda r: "%.*f" % (places, r.uniform(low, high))


def money(r):
    return f"{r.uniform(1000, 9000000):,.2f}"


def pick(*values):
    return lambda r: r.choice(values)


def code(pattern):
    """A for a letter, 9 for a digit."""

    def make(r):
        return "".join(r.choice(LETTERS) if c == "A" else str(r.randint(0, 9)) if c == "9" else c for c in pattern)

    return make


def words(vocabulary, low, high):
    return lambda r: " ".join(r.choice(vocabulary) for _ in range(r.randint(low, high)))


def serial(start, step=1):
    state = {}

    def make(r):
        state[id(r)] = state.get(id(r), start - step) + step
        return str(state[id(r)])

    return make


PLAIN = "the order was late and box arrived damaged please send another one soon thank you for quick reply".split()
TECH = (
    "sample pressure valve reading drift corrected after restart sensor offline battery low check cable again".split()
)

# name: list of (column title, maker). Two families: the first is for tuning, the second is held out.
TABLES = {
    "tuning": {
        "sales": [
            ("order_id", serial(10001)),
            ("date", iso),
            ("customer", pick("Miller", "Jones Ltd", "Ann Smith", "Bob Lee", "O'Hara & Sons")),
            ("quantity", whole(1, 40)),
            ("price", real(1, 900)),
            ("shipped", pick("true", "false")),
        ],
        "people": [
            ("id", serial(1)),
            ("first_name", pick("Anna", "Peter", "Mary", "John", "Lena", "Sam")),
            ("last_name", pick("Fox", "Baker", "Stone", "Woods", "Hall")),
            ("birthday", slashed),
            ("city", pick("Berlin", "New York", "San Jose", "Paris")),
        ],
        "sensor": [
            ("time", stamp),
            ("station", code("AA-99")),
            ("temperature", real(-20, 40, 1)),
            ("humidity", real(10, 100, 1)),
            ("pressure", real(950, 1050)),
        ],
        "stock": [
            ("sku", code("AAA-9999")),
            ("description", words(PLAIN, 2, 6)),
            ("stock", whole(0, 500)),
            ("weight", real(0, 20, 3)),
        ],
        "text": [
            ("name", pick("Alice Brown", "Carl Young", "Dora Green", "Erik White", "Fay Black")),
            ("department", pick("Sales", "Legal", "Research", "Support")),
            ("office", pick("North Wing", "Annex", "Tower", "Main House")),
            ("remark", words(PLAIN, 2, 7)),
        ],
        "matrix": [("x1", real(-1, 1, 4)), ("x2", real(-1, 1, 4)), ("x3", real(-1, 1, 4)), ("y", whole(0, 1))],
        "contacts": [
            ("email", lambda r: "%s%d@example.org" % (r.choice(["ann", "bob", "kim"]), r.randint(1, 99))),
            ("site", lambda r: "https://example.org/p/%d" % r.randint(1, 9999)),
            ("last login", stamp),
            ("active", pick("yes", "no")),
        ],
        "flights": [
            ("Flight No", code("AA 999")),
            ("Departure", stamp),
            ("Origin", code("AAA")),
            ("Destination", code("AAA")),
            ("Delay (min)", whole(-10, 240)),
            ("Fare", real(29, 1400)),
        ],
        "lab": [
            ("Specimen", code("L9999/99")),
            ("Taken on", dotted),
            ("Analyte", pick("Glucose", "Sodium", "Ferritin", "TSH")),
            ("Result", real(0, 300, 1)),
            ("Unit", pick("mg/dl", "mmol/l", "ng/ml")),
        ],
        "library": [
            ("ISBN", code("978-9-99-999999-9")),
            ("Title", words("A Short History of Rivers Glass Night and Winter Stars Under Old Bridges".split(), 2, 6)),
            ("Author", pick("K. Adams", "Lee Chang", "M. Ortiz", "P. Novak")),
            ("Year", whole(1950, 2023)),
            ("Copies", whole(1, 12)),
        ],
        "games": [
            ("Week", whole(1, 38)),
            ("Home", pick("Rovers", "United", "City", "Athletic", "Wanderers")),
            ("Away", pick("Albion", "Town", "Rangers", "Forest")),
            ("Score", lambda r: "%d-%d" % (r.randint(0, 5), r.randint(0, 5))),
            ("Attendance", whole(900, 60000)),
        ],
        "survey": [
            ("Respondent", pick("farmer", "teacher", "nurse", "driver", "student")),
            ("Answer", pick("fully agree", "agree", "undecided", "disagree")),
            ("Free comment", words(TECH, 3, 8)),
            ("Channel", pick("phone", "online", "street")),
        ],
        "telemetry": [
            ("ts", whole(1600000000, 1700000000)),
            ("lat", real(-60, 60, 6)),
            ("lon", real(-170, 170, 6)),
            ("speed", real(0, 130, 1)),
            ("ok", pick("Y", "N")),
        ],
        "grid": [
            ("a", whole(0, 99)),
            ("b", whole(0, 99)),
            ("c", real(0, 1, 3)),
            ("d", real(0, 1, 3)),
            ("e", whole(100, 999)),
        ],
    },
    "held_out": {
        "wards": [
            ("Patient", code("P-99999")),
            ("admitted", stamp),
            ("ward", pick("Surgery", "Maternity", "Ward 7B", "ICU")),
            ("stay_days", whole(0, 60)),
            ("bill", real(80, 25000)),
        ],
        "flats": [
            ("listing", serial(550001, 7)),
            ("street", pick("Mill Lane 4", "Harbour View 12", "Old Church Rd 9", "Elm Close 3")),
            ("rooms", whole(1, 8)),
            ("area m2", real(18, 240, 1)),
            ("rent", whole(300, 4200)),
            ("free from", dotted),
        ],
        "votes": [
            ("District", pick("Upper Town", "Lakeside", "Dock Area", "Green Hills")),
            ("Candidate", pick("I. Marsh", "V. Petrov", "L. Osei", "R. Dahl")),
            ("Votes", whole(10, 40000)),
            ("Share", lambda r: "%.1f%%" % r.uniform(0, 100)),
        ],
        "stars": [
            ("hip", whole(1, 118000)),
            ("ra", real(0, 360, 5)),
            ("dec", real(-90, 90, 5)),
            ("mag", real(-1, 14)),
            ("class", code("A9V")),
        ],
        "recipes": [
            ("dish", words("baked roast cold creamy lemon lentil onion soup cake bread stew pie".split(), 2, 4)),
            ("cuisine", pick("Thai", "Greek", "Nordic", "Mexican")),
            ("difficulty", pick("easy", "medium", "hard")),
            ("keeper", pick("Grandma", "Uncle Jo", "the neighbours")),
        ],
        "calls": [
            ("call_id", code("9f3a-9999-AA")),
            ("begin", stamp),
            ("seconds", whole(1, 4000)),
            ("caller", lambda r: "+49 %d %d" % (r.randint(30, 999), r.randint(100000, 999999))),
            ("answered", pick("TRUE", "FALSE")),
        ],
        "counts": [("k", whole(0, 9)), ("n", whole(0, 999)), ("p", real(0, 1, 5)), ("chi2", real(0, 40, 3))],
    },
}
TITLES = {
    "tuning": [
        "Quarterly report",
        "Export of 2021-04-03",
        "Data, all regions, final",
        "Customer list (internal use only)",
        "Report generated by admin on 3/4/2021 10:22",
        "Ministry of Statistics",
        "Table 4: overview",
        "Query: select all; user: guest",
    ],
    "held_out": [
        "City of Northport - open data",
        "Sheet 2 of 5",
        "As at 30/06/2020; provisional",
        "User: jdoe, Host: db-7",
        "Do not edit by hand",
    ],
}
NOTES = {
    "tuning": [
        "Source: own calculations, 2021",
        "Note: values are preliminary",
        "* estimated",
        "Quelle: Statistisches Amt",
        "(1) revised figures, rounded",
    ],
    "held_out": [
        "Source: registry, extract of June",
        "Notes: blank means not reported; see annex",
        "Last updated: 2020-06-30",
        "** without overseas offices",
    ],
}
NATIVE = {
    "WINDOWS-1252": (
        "cp1252",
        [
            "Müller",
            "Société Générale",
            "Café Noël",
            "Señor Núñez",
            "Žižek",
            "Crème brûlée",
            "Straße",
            "Übergröße",
            "5 € – 7 €",
            "Łuk".replace("Ł", "L"),
        ],
    ),
    "ISO-8859-1": ("latin-1", ["François", "Hélène", "Besançon", "Mâcon", "forêt", "déjà vu", "Noël", "garçon"]),
    "ISO-8859-15": ("iso8859_15", ["12 €", "cœur", "œuvre", "7 €", "été", "Noël", "sœur", "3 € pièce"]),
    "WINDOWS-1250": (
        "cp1250",
        ["Łódź", "Kraków", "Gdańsk", "Częstochowa", "Świnoujście", "Żywiec", "Toruń", "Białystok", "Poznań"],
    ),
    "WINDOWS-1251": (
        "cp1251",
        ["Москва", "Санкт-Петербург", "Новосибирск", "улица Ленина", "Казань", "Екатеринбург", "Самара"],
    ),
    "KOI8-R": ("koi8_r", ["Москва", "Ярославль", "Новгород", "проспект Мира", "Казань", "Тверь", "Самара"]),
    "CP932": ("cp932", ["東京都", "大阪府", "株式会社テスト", "名古屋", "カメラ", "りんごジュース", "北海道札幌市"]),
    "GB18030": ("gb18030", ["北京市", "上海", "广州有限公司", "数据质量", "中国银行", "深圳市南山区", "苹果手机"]),
    "CP437": ("cp437", ["garçon", "Müller", "Größe", "straße", "señor", "naïve", "père", "Köln"]),
    "CP850": (
        "cp850",
        ["Señor Ibáñez", "João", "São Paulo", "Málaga", "forêt", "Hélène", "à côté", "Düsseldorf", "Cádiz"],
    ),
    "MACINTOSH": ("mac_roman", ["Élodie", "Hélène", "Besançon", "Müller", "crème", "déjà", "Größe", "naïve"]),
    "UTF-8": ("utf-8", ["Zoë", "Łódź", "Škoda", "東京", "naïve", "Ωmega", "crème"]),
    "UTF-16LE": ("utf-16-le", ["Zoë", "Łódź", "Škoda", "東京", "naïve", "crème"]),
    "UTF-16BE": ("utf-16-be", ["Zoë", "Łódź", "Škoda", "東京", "naïve", "crème"]),
    "UTF-32LE": ("utf-32-le", ["Zoë", "Łódź", "Škoda", "東京", "naïve", "crème"]),
}
BOMS = {"UTF-8": b"\xef\xbb\xbf", "UTF-16LE": b"\xff\xfe", "UTF-16BE": b"\xfe\xff", "UTF-32LE": b"\xff\xfe\0\0"}


class Spec:
    """One file to be: the truth that the sniffer is asked for, and what to write."""

    def __init__(self, part, table, r):
        self.part, self.r = part, r
        self.delimiter, self.quote, self.escape = ",", '"', '"'
        self.encoding, self.bom = "UTF-8", False
        self.header_rows, self.comment = 1, ""
        self.newline = "\n"
        self.quote_all = False
        self.preamble, self.footer = [], []  # lines; the preamble's count is the lines to skip
        self.titles = [t for t, _ in TABLES[part][table]]
        makers = [m for _, m in TABLES[part][table]]
        n = r.choice([4, 8, 15, 15, 40, 40, 120, 700])
        self.rows = [[m(r) for m in makers] for _ in range(n)]
        self.extra_headers = []  # rows above the titles
        self.inner_comments = 0
        self.final_newline = r.random() < 0.85
        self.mixed = False
        self.ragged = False
        self.trailing = False

    def free_column(self):
        """Index of a column made of text, appended if the table has none."""
        text = [
            i
            for i in range(len(self.titles))
            if any(" " in row[i] and row[i].replace(" ", "").isalpha() for row in self.rows)
        ]
        if text:
            return text[-1]
        self.titles.append("remark" if self.part == "tuning" else "Remarks")
        vocabulary = PLAIN if self.part == "tuning" else TECH
        for row in self.rows:
            row.append(words(vocabulary, 2, 6)(self.r))
        return len(self.titles) - 1

    def spoil(self, column, make, share=0.5):
        """Rework the column's cells here and there, at least twice."""
        for i, row in enumerate(self.rows):
            if i % 4 == 1 or self.r.random() < share:
                row[column] = make(row[column])

    def cell(self, text):
        q, e, d = self.quote, self.escape, self.delimiter
        if not q:
            if e == "\\":
                text = text.replace("\\", "\\\\").replace(d, "\\" + d)
            return text
        needs = any(c in text for c in (d, q, "\n", "\r")) or (text and text[0] == " ")
        if e == "\\" and not self.quote_all and not needs:
            needs = "\\" in text
        if not (needs or self.quote_all):
            return text
        if e == "\\":
            text = text.replace("\\", "\\\\").replace(q, "\\" + q)
        else:
            text = text.replace(q, q + q)
        return q + text + q

    def line(self, row):
        return self.delimiter.join(self.cell(c) for c in row) + (self.delimiter if self.trailing else "")

    def write(self):
        header = self.extra_headers + ([self.titles] if self.header_rows else [])
        head_lines = [self.line(row) for row in header]
        data_lines = [self.line(row) for row in self.rows]
        if self.ragged:
            for i in range(len(self.rows)):
                if i % 5 == 2:
                    data_lines[i] = self.line(self.rows[i][: -1 - (i % 2)])
        for _ in range(self.inner_comments):
            at = self.r.randint(0, len(data_lines))
            data_lines.insert(at, "# checked by hand, ok")
        lines = self.preamble + head_lines + data_lines + self.footer

        def end(i):
            return self.r.choice(["\n", "\r\n"]) if self.mixed else self.newline

        parts = [line + end(i) for i, line in enumerate(lines)]
        data = "".join(
            parts[len(self.preamble) + len(head_lines) : len(self.preamble) + len(head_lines) + len(data_lines)]
        )
        if not self.final_newline and not self.footer and len(data_lines):
            parts[-1] = lines[-1]
            data = data[:-1] if not data.endswith("\r\n") else data[:-2]
        text = "".join(parts)
        truth = dict(
            delimiter=self.delimiter,
            quote=self.quote,
            escape=self.escape,
            header_rows=len(header),
            skip_lines=sum(1 + p.count("\n") for p in self.preamble),
            footer_lines=sum(1 for _ in self.footer),
            encoding=self.encoding,
            comment=self.comment,
            columns=len(self.titles) + self.trailing,
            data=data,
        )
        return text, truth


def titles(s, low=1, high=3):
    lines = s.r.sample(TITLES[s.part], s.r.randint(low, high))
    if s.r.random() < 0.6:
        lines.insert(s.r.randint(1, len(lines)), "")
    return lines


def decimals_with_comma(s):
    for row in s.rows:
        for i, cell in enumerate(row):
            if cell.replace(".", "", 1).replace("-", "", 1).isdigit() and "." in cell:
                row[i] = cell.replace(".", ",")


# One function per phenomenon; each changes the spec.
def plain(s):
    pass


def semicolon_decimal_comma(s):
    s.delimiter = ";"
    decimals_with_comma(s)


def tab(s):
    s.delimiter = "\t"


def pipe(s):
    s.delimiter = "|"


def comma_space(s):
    s.delimiter = ", "


def semicolon_space(s):
    s.delimiter = "; "
    s.r.random() < 0.5 and decimals_with_comma(s)


def multi_char(s):
    s.delimiter = s.r.choice(
        ["::", "||", "|~|", "^|^", "@@", " | ", "~~", "|#|"]
        if s.part == "tuning"
        else ["||", "::", "|^|", "##", "<|>", "-|-", " ; ", "$$"]
    )


def odd_single(s):
    s.delimiter = s.r.choice(
        ["~", "^", "\x01", "#", "&", "\x1f"] if s.part == "tuning" else ["~", "^", "\x01", "\x02", "*", "\u00a6"]
    )


def colon(s):
    s.delimiter = ":"
    for row in s.rows:
        row[:] = [c.replace(":", ".") for c in row]


def spaces(s):
    s.delimiter = s.r.choice([" ", " ", "  "])
    s.titles = [t.replace(" ", "_") for t in s.titles]
    for row in s.rows:
        row[:] = [c.replace(" ", "_") for c in row]


def apostrophe_quote(s):
    s.quote = s.escape = "'"
    s.delimiter = s.r.choice([",", ";", "\t"])
    c = s.free_column()
    s.spoil(c, lambda t: s.r.choice(["it's " + t, t + s.delimiter + " too", t]))
    s.quote_all = s.r.random() < 0.5


def backslash_escape(s):
    s.escape = "\\"
    s.delimiter = s.r.choice([",", ";", "|"])
    s.spoil(s.free_column(), lambda t: s.r.choice(['the "%s" one' % t, '"%s", he said' % t, t + s.delimiter + " more"]))
    s.quote_all = s.r.random() < 0.5


def backslash_delimiter(s):
    s.quote, s.escape = "", "\\"
    s.delimiter = s.r.choice([",", ";", "\t"])
    s.spoil(s.free_column(), lambda t: t.replace(" ", s.delimiter, 1))


def no_quotes(s):
    s.quote = s.escape = ""
    s.delimiter = s.r.choice(["\t", "|", ";"])
    s.spoil(s.free_column(), lambda t: s.r.choice(['"' + t, '5" ' + t, t + ' 12"', '"' + t.replace(" ", '" ', 1)]))


def doubled_quotes(s):
    s.delimiter = s.r.choice([",", ";", "\t"])
    s.spoil(s.free_column(), lambda t: s.r.choice(['say "%s"' % t, '"%s", they say' % t, t + ", and " + t]))


def embedded_newlines(s):
    s.delimiter = s.r.choice([",", ";"])
    s.spoil(s.free_column(), lambda t: t.replace(" ", "\n", 1) + s.r.choice(["", "\n\nregards, me", ", x"]))


def thousands_quoted(s):
    s.titles.append("turnover" if s.part == "tuning" else "Budget USD")
    for row in s.rows:
        row.append(money(s.r))


def preamble(s):
    s.preamble = titles(s)
    s.delimiter = s.r.choice([",", ";", "\t"])


def preamble_notes(s):
    s.preamble = titles(s, 2, 4) + ["Contact: desk, phone 555-1234, room 7"] + [""]


def padded_preamble(s):
    pad = s.delimiter * (len(s.titles) - 1)
    s.preamble = [s.cell(t) + pad for t in s.r.sample(TITLES[s.part], 2)] + ([pad] if s.r.random() < 0.5 else [])


def footer_notes(s):
    s.footer = ([""] if s.r.random() < 0.6 else []) + s.r.sample(NOTES[s.part], s.r.randint(1, 3))
    s.final_newline = True


def footer_total(s):
    s.footer = [
        s.delimiter.join(
            [s.r.choice(["Total", "TOTAL", "Sum"] if s.part == "tuning" else ["Grand total", "Gesamt"])]
            + [""] * (len(s.titles) - 2)
            + [str(s.r.randint(1000, 99999))]
        )
    ]
    s.final_newline = True


def preamble_and_footer(s):
    preamble(s)
    footer_notes(s)


def hash_comments(s):
    s.comment = "#"
    s.preamble = ["# " + t for t in s.r.sample(TITLES[s.part], s.r.randint(1, 3))]
    s.inner_comments = s.r.choice([0, 1, 2])


def sep_line(s):
    s.delimiter = s.r.choice([";", ",", "\t"])
    s.preamble = ["sep=" + s.delimiter]
    s.newline = "\r\n"


def multi_header(s):
    kinds = s.r.choice(["units", "groups"])
    if kinds == "units":
        top, s.titles = s.titles, [("[%s]" % u) for u in s.r.choices(["-", "kg", "text", "EUR", "s"], k=len(s.titles))]
        s.extra_headers = [top]
    else:
        names = ["Key"] + ["Values"] * (len(s.titles) - 1)
        s.extra_headers = [["" if i and names[i] == names[i - 1] else names[i] for i in range(len(names))]]


def year_header(s):
    first = s.r.randint(1990, 2015)
    years = s.r.randint(3, 8)
    s.titles = ["Country" if s.part == "tuning" else "Region"] + [str(first + i) for i in range(years)]
    places = (
        ["France", "Spain", "Italy", "Chad", "Peru"]
        if s.part == "tuning"
        else ["North", "Coast", "Hills", "Upper Valley"]
    )
    number = s.r.choice([real(0, 100, 1), whole(10000, 900000)])
    s.rows = [[s.r.choice(places) + " %d" % i] + [number(s.r) for _ in range(years)] for i in range(s.r.randint(4, 40))]


def no_header(s):
    s.header_rows = 0


def text_only(s, header=1):
    table = s.r.choice(["text", "survey"]) if s.part == "tuning" else "recipes"
    s.titles = [t for t, _ in TABLES[s.part][table]]
    s.rows = [[m(s.r) for _, m in TABLES[s.part][table]] for _ in s.rows]
    s.header_rows = header


def text_only_no_header(s):
    text_only(s, 0)


def header_only(s):
    s.rows = []


def one_column(s):
    kind = s.r.choice(["dates", "words", "numbers", "sentences", "times"])
    maker = {
        "dates": iso,
        "words": pick("red", "green", "blue", "dark grey"),
        "numbers": whole(1, 9999),
        "times": clock,
        "sentences": words(PLAIN, 3, 9),
    }[kind]
    s.titles = [{"dates": "day", "words": "colour", "numbers": "value", "times": "time", "sentences": "remark"}[kind]]
    s.rows = [[maker(s.r)] for _ in range(max(8, len(s.rows)))]
    if kind == "sentences":
        for row in s.rows[::3]:
            row[0] = row[0].replace(" ", ", ", s.r.randint(1, 2))
        s.quote = s.escape = ""
        s.delimiter = "\x1f"


def cr_only(s):
    s.newline = "\r"
    s.delimiter = s.r.choice([",", ";", "\t"])


def crlf(s):
    s.newline = "\r\n"


def mixed_newlines(s):
    s.mixed = True


def ragged(s):
    s.ragged = True
    s.rows = s.rows + s.rows[:10]


def trailing_delimiter(s):
    s.trailing = True


def quoted_all(s):
    s.quote_all = True
    s.delimiter = s.r.choice([",", ";", "\t"])


def sparse(s):
    for row in s.rows:
        for i in range(1, len(row)):
            if s.r.random() < 0.35:
                row[i] = s.r.choice(["", "", "NA"])


def wide(s):
    n = s.r.randint(60, 140)
    s.titles = ["id"] + ["m%03d" % i for i in range(n)]
    s.rows = [
        [str(k)] + [str(s.r.randint(0, 99)) if s.r.random() < 0.8 else "" for _ in range(n)]
        for k in range(s.r.randint(5, 60))
    ]


def lists_in_cells(s):
    s.titles.append("tags")
    inner = ";" if s.part == "tuning" else "|"
    for row in s.rows:
        row.append(inner.join(s.r.sample(["red", "new", "old", "hot", "sale", "eco"], 3)))


def encoded(s):
    s.encoding = s.r.choice(list(NATIVE))
    s.bom = s.encoding in BOMS and s.r.random() < 0.5
    if s.encoding != "CP932" and s.encoding != "GB18030":
        s.delimiter = s.r.choice([",", ";", "\t"])
    c = s.free_column()
    for row in s.rows:
        row[c] = s.r.choice(NATIVE[s.encoding][1]) + s.r.choice(["", "", " " + s.r.choice(NATIVE[s.encoding][1])])


def combined(s):
    """Several at once: first the content, then the delimiter, then what stands around the records."""
    s.r.choice(
        [
            plain,
            sparse,
            thousands_quoted,
            doubled_quotes,
            embedded_newlines,
            lists_in_cells,
            no_header,
            text_only,
            text_only_no_header,
            quoted_all,
            trailing_delimiter,
        ]
    )(s)
    if s.titles[-1] == "tags":
        s.delimiter = s.r.choice([",", "\t", "~"])
    elif not any(s.delimiter in c for row in s.rows for c in row):
        s.delimiter = s.r.choice([",", ";", "\t", "|", "||", "^", ", "])
    s.r.choice([plain, preamble_notes, footer_total, footer_notes, hash_comments, crlf, mixed_newlines])(s)


def tiny(s):
    """Hardly anything to go by."""
    combined(s)
    s.rows = s.rows[: s.r.randint(1, 3)]


PHENOMENA = [
    plain,
    semicolon_decimal_comma,
    tab,
    pipe,
    comma_space,
    semicolon_space,
    multi_char,
    odd_single,
    colon,
    spaces,
    apostrophe_quote,
    backslash_escape,
    backslash_delimiter,
    no_quotes,
    doubled_quotes,
    embedded_newlines,
    thousands_quoted,
    preamble,
    preamble_notes,
    padded_preamble,
    footer_notes,
    footer_total,
    preamble_and_footer,
    hash_comments,
    sep_line,
    multi_header,
    year_header,
    no_header,
    text_only,
    text_only_no_header,
    header_only,
    one_column,
    cr_only,
    crlf,
    mixed_newlines,
    ragged,
    trailing_delimiter,
    quoted_all,
    sparse,
    wide,
    lists_in_cells,
    encoded,
    combined,
    tiny,
]
# What may be added to a file of another phenomenon.
EXTRAS = [preamble, footer_notes, no_header, crlf, sparse, thousands_quoted, quoted_all]
NO_EXTRAS = {
    "header_only",
    "one_column",
    "preamble",
    "preamble_notes",
    "padded_preamble",
    "sep_line",
    "multi_header",
    "footer_total",
    "footer_notes",
    "preamble_and_footer",
    "text_only",
    "text_only_no_header",
    "no_header",
    "hash_comments",
    "year_header",
    "ragged",
    "combined",
    "tiny",
}


def make_file(part, phenomenon, index):
    r = random.Random("%s/%s/%d" % (part, phenomenon.__name__, index))
    s = Spec(part, r.choice(sorted(TABLES[part])), r)
    phenomenon(s)
    name = phenomenon.__name__
    if name not in NO_EXTRAS and r.random() < 0.35:
        extra = r.choice(EXTRAS)
        keep = s.delimiter
        if not (extra is quoted_all and not s.quote) and not (extra is thousands_quoted and not s.quote):
            extra(s)
        s.delimiter = keep
    text, truth = s.write()
    codec = NATIVE[s.encoding][0]
    raw = text.encode(codec, errors="strict")
    if s.bom:
        raw = BOMS[s.encoding] + raw
    truth.update(part=part, phenomenon=name, bom=s.bom, codec=codec)
    return raw, text, truth


def write_corpus(folder, tuning=8, held_out=6):
    """Writes the files; returns the list of truths with their paths (`file` as it is, `utf8` decoded)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for part, count in (("tuning", tuning), ("held_out", held_out)):
        for phenomenon in PHENOMENA:
            for index in range(count * (4 if phenomenon in (encoded, combined, tiny) else 1)):
                raw, text, truth = make_file(part, phenomenon, index)
                stem = "%s-%s-%02d" % (part, phenomenon.__name__, index)
                truth["file"] = str(folder / (stem + ".csv"))
                truth["utf8"] = truth["file"]
                Path(truth["file"]).write_bytes(raw)
                if raw != text.encode():
                    truth["utf8"] = str(folder / (stem + "-utf8.csv"))
                    Path(truth["utf8"]).write_bytes(text.encode())
                truths.append(truth)
    (folder / "truth.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1))
    return truths


if __name__ == "__main__":
    print(len(write_corpus(sys.argv[1])), "files")
