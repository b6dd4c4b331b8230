"""The columns of the benchmark tables, for the runs in which a peer is told the types."""

LINEITEM = {
    "l_orderkey": "bigint",
    "l_partkey": "bigint",
    "l_suppkey": "bigint",
    "l_linenumber": "bigint",
    "l_quantity": "bigint",
    "l_extendedprice": "double",
    "l_discount": "double",
    "l_tax": "double",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}

QUOTED = {
    "id": "bigint",
    "name": "string",
    "title": "string",
    "body": "string",
    "tags": "string",
    "city": "string",
    "amount": "double",
    "created": "timestamp",
}

WIDE = {
    f"{prefix}_{column:03}": {"int": "bigint", "double": "double", "text": "string"}[prefix]
    for column in range(200)
    for prefix in [("int", "double", "text")[column % 3]]
}

TABLES = {"lineitem": LINEITEM, "quoted": QUOTED, "wide": WIDE}
