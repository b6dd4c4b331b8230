#!/bin/sh
# Writes the C source that holds the given migrations, byte for byte: embed_migrations.sh 0001_a.sql 0002_b.sql ...
set -eu

cat <<'TOP'
/* Made by scripts/embed_migrations.sh. */
#include "store/migrations.h"
#include "store/store.h"

TOP
count=0
for path; do
    count=$((count + 1))
    file=${path##*/}
    case $file in
    "$(printf %04d "$count")"_*.sql) ;;
    *)
        echo "$path: the migrations have to be numbered 0001_, 0002_, ... without gaps" >&2
        exit 1
        ;;
    esac
    echo "static const unsigned char sql_$count[] = {"
    od -An -v -tu1 "$path" | awk '{ for (i = 1; i <= NF; i++) printf "%s,", $i; print "" }'
    echo "0};"
done
echo
echo "const struct migration store_migrations[] = {"
count=0
for path; do
    count=$((count + 1))
    file=${path##*/}
    echo "    {$count, \"${file%.sql}\", (const char *)sql_$count},"
done
cat <<BOTTOM
};
const size_t store_migrations_count = $count;
_Static_assert(STORE_VERSION == $count, "STORE_VERSION is the number of migrations");
BOTTOM
