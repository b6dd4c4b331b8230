"""Compares two Parquet files value by value: check_equal.py LEFT RIGHT [--unordered].

Rows are aligned by position and read a slice at a time, so that neither file is
ever held whole. Names, their order and the number of rows have to be the same.
Types may differ where one holds the other's values; every such column is named
in the result. Null is equal to null only, NaN to NaN. With --unordered the rows
are compared as a multiset (row hashes, summed), for writers that do not keep order.

Prints one JSON object; exit 0 when equal, 1 when not, 2 when the check itself failed.
"""

import argparse
import json
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SLICE_ROWS = 65536
DIFFERENCES_SHOWN = 5
EXCERPT = 60  # characters


class Mismatch(Exception):
    """The files differ in shape: names, types or number of rows."""


class RowReader:
    """Hands out a file's rows in slices of any size, over row group borders."""

    def __init__(self, path):
        self.file = pq.ParquetFile(path)
        self.batches = self.file.iter_batches(batch_size=SLICE_ROWS)
        self.batch = None
        self.used = 0

    def available(self):
        """Rows left in the current batch; 0 at the end of the file."""
        while self.batch is None or self.used == self.batch.num_rows:
            self.batch = next(self.batches, None)
            self.used = 0
            if self.batch is None:
                return 0
        return self.batch.num_rows - self.used

    def take(self, count):
        part = self.batch.slice(self.used, count)
        self.used += count
        return part


def type_plain(kind):
    """The type without its memory layout: strings of any layout are one type."""
    if pa.types.is_dictionary(kind):
        return type_plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def type_common(left, right):
    """The type both sides are cast to, or None where they cannot mean the same."""
    if left == right:
        return left
    for one, other in ((left, right), (right, left)):
        if pa.types.is_null(one):
            return other
        if pa.types.is_string(one):
            # As text where a value has one spelling only, so that 007 is not 7.
            if pa.types.is_integer(other) or pa.types.is_boolean(other) or pa.types.is_date(other):
                return one
            if pa.types.is_floating(other) or pa.types.is_decimal(other) or pa.types.is_timestamp(other):
                return other
        if pa.types.is_date(one) and pa.types.is_timestamp(other):
            return other
        if pa.types.is_integer(one) and pa.types.is_floating(other):
            return pa.float64()
    if pa.types.is_integer(left) and pa.types.is_integer(right):
        return pa.int64()
    if pa.types.is_floating(left) and pa.types.is_floating(right):
        return pa.float64()
    if pa.types.is_date(left) and pa.types.is_date(right):
        return pa.date32()
    if pa.types.is_timestamp(left) and pa.types.is_timestamp(right) and left.tz == right.tz:
        units = ["s", "ms", "us", "ns"]
        return pa.timestamp(max(left.unit, right.unit, key=units.index), left.tz)
    return None


def columns_pair(left, right):
    """(name, common type) of each column, and the list of the columns that are cast."""
    if left.names != right.names:
        raise Mismatch(f"column names differ: {left.names} and {right.names}")
    pairs, cast = [], []
    for name in left.names:
        types = type_plain(left.field(name).type), type_plain(right.field(name).type)
        common = type_common(*types)
        if common is None:
            raise Mismatch(f"{name}: {types[0]} and {types[1]} cannot be compared")
        pairs.append((name, common))
        if types[0] != types[1]:
            cast.append(f"{name}: {types[0]} / {types[1]} as {common}")
    return pairs, cast


def differing(left, right):
    """Positions at which two arrays of one type differ."""
    if left.equals(right):
        return []
    same = pc.equal(left, right)
    if pa.types.is_floating(left.type):
        same = pc.or_kleene(same, pc.and_(pc.is_nan(left), pc.is_nan(right)))
    same = pc.if_else(pc.and_(pc.is_null(left), pc.is_null(right)), True, same)
    return pc.indices_nonzero(pc.invert(pc.fill_null(same, False))).to_pylist()


def excerpts(left, right):
    """Both values as text, cut to the surroundings of the first difference."""
    left, right = str(left), str(right)
    first = next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, first - EXCERPT // 2)
    return left[start : start + EXCERPT], right[start : start + EXCERPT]


def compare_ordered(left_path, right_path):
    left, right = RowReader(left_path), RowReader(right_path)
    pairs, cast = columns_pair(left.file.schema_arrow, right.file.schema_arrow)
    rows = left.file.metadata.num_rows, right.file.metadata.num_rows
    if rows[0] != rows[1]:
        raise Mismatch(f"{rows[0]} rows and {rows[1]} rows")

    row, counts, shown = 0, {}, []
    while count := min(left.available(), right.available()):
        parts = left.take(count), right.take(count)
        for name, common in pairs:
            a, b = (part.column(name).cast(common) for part in parts)
            places = differing(a, b)
            if not places:
                continue
            counts[name] = counts.get(name, 0) + len(places)
            for place in places[: DIFFERENCES_SHOWN - len(shown)]:
                texts = excerpts(a[place], b[place])
                shown.append({"row": row + place, "column": name, "left": texts[0], "right": texts[1]})
        row += count
    if row != rows[0]:
        raise Mismatch(f"{row} of {rows[0]} rows could be read")
    return {"equal": not counts, "rows": row, "cast": cast, "differences": counts, "first": shown}


def compare_unordered(left_path, right_path):
    import duckdb

    names = {
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.string(): "VARCHAR",
        pa.date32(): "DATE",
        pa.timestamp("us"): "TIMESTAMP",
        pa.bool_(): "BOOLEAN",
    }
    pairs, cast = columns_pair(pq.read_schema(left_path), pq.read_schema(right_path))
    for name, common in pairs:
        if common not in names:
            raise Mismatch(f"{name}: no unordered comparison for {common}")
    values = ", ".join(f'CAST("{name}" AS {names[common]})' for name, common in pairs)
    session = duckdb.connect()
    session.execute("SET threads=2")
    sums = []
    for path in (left_path, right_path):
        # Two sums of 128 bits, as a single one could in theory hide a pair of differences.
        sums.append(
            session.execute(
                f"SELECT count(*), sum(hash({values})::HUGEINT)::VARCHAR, "
                f"sum(hash('second', {values})::HUGEINT)::VARCHAR FROM read_parquet(?)",
                [path],
            ).fetchone()
        )
    if sums[0][0] != sums[1][0]:
        raise Mismatch(f"{sums[0][0]} rows and {sums[1][0]} rows")
    equal = sums[0] == sums[1]
    return {"equal": equal, "rows": sums[0][0], "cast": cast, "differences": {} if equal else {"(row hash)": 1}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("left")
    parser.add_argument("right")
    parser.add_argument("--unordered", action="store_true")
    args = parser.parse_args()
    compare = compare_unordered if args.unordered else compare_ordered
    try:
        result = compare(args.left, args.right)
    except (Mismatch, pa.ArrowInvalid, pa.ArrowNotImplementedError) as reason:
        result = {"equal": False, "reason": str(reason)}
    except OSError as reason:
        print(f"check_equal: {reason}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps(result))
    sys.exit(0 if result["equal"] else 1)


if __name__ == "__main__":
    main()
