"""Grades answers about a file's dialect by what reading the file with them would give."""


def parse(text, delimiter, quote, escape, comment=""):
    """Rows of cells. RFC 4180 with any delimiter; quotes open only at a cell's start; a backslash escapes
    delimiters, quotes, line ends and itself. Blank lines give no row."""
    rows, row, at, n = [], [], 0, len(text)
    while at < n:
        if not row and comment and text.startswith(comment, at):
            while at < n and text[at] not in "\r\n":
                at += 1
            at += 2 if text.startswith("\r\n", at) else 1
            continue
        cell = []
        start = at
        if quote and text.startswith(quote, at):
            at += 1
            while at < n:
                c = text[at]
                if escape == "\\" and c == "\\" and at + 1 < n and text[at + 1] in (quote, "\\"):
                    cell.append(text[at + 1])
                    at += 2
                elif c == quote and escape == quote and text.startswith(quote, at + 1):
                    cell.append(quote)
                    at += 2
                elif c == quote:
                    at += 1
                    break
                else:
                    cell.append(c)
                    at += 1
        while at < n and text[at] not in "\r\n" and not text.startswith(delimiter, at):
            if (
                escape == "\\"
                and text[at] == "\\"
                and at + 1 < n
                and (text[at + 1] == "\\" or text[at + 1] == quote or text.startswith(delimiter, at + 1))
            ):
                at += 1
            cell.append(text[at])
            at += 1
        row.append("".join(cell))
        if at < n and text.startswith(delimiter, at):
            at += len(delimiter)
            if at < n:
                continue
            row.append("")
        blank = len(row) == 1 and not row[0] and at == start
        if not blank:
            rows.append(row)
        row = []
        at += 2 if text.startswith("\r\n", at) else 1
    return rows


def records(truth, answer):
    """The records of the file's data region as the answer's dialect reads them; None if it cannot be tried."""
    if not answer or not answer.get("delimiter"):
        return None
    return parse(truth["data"], answer["delimiter"], answer["quote"], answer["escape"], truth["comment"])


def effective_skip(truth, answer):
    """Lines before the header or first record; comment lines in front count as skipped when they are known."""
    skip = answer["skip_lines"]
    if truth["comment"] and answer.get("comment") == truth["comment"] and skip < truth["skip_lines"]:
        return truth["skip_lines"]
    return skip


def grade(truth, answer):
    """dialect: the records come out as they went in; header: found, and on its line; lines: of the header."""
    if not answer:
        return dict(dialect=False, header=False, header_lines=False, footer=False, all=False)
    wanted = records(truth, truth)
    # Nothing but a header: its cells are the test.
    if not wanted:
        dialect = answer["columns"] == truth["columns"]
    else:
        dialect = records(truth, answer) == wanted
    # Lines of comments inside the data must be known as such, if there are any.
    if truth["comment"] and truth["comment"] in truth["data"] and answer.get("comment") != truth["comment"]:
        dialect = False
    header = answer["header"] == (truth["header_rows"] > 0) and effective_skip(truth, answer) == truth["skip_lines"]
    lines = header and answer.get("header_lines", int(answer["header"])) == truth["header_rows"]
    footer = answer.get("footer_lines", 0) == truth["footer_lines"]
    return dict(dialect=dialect, header=header, header_lines=lines, footer=footer, all=dialect and header)
