#!/usr/bin/env bash
# Converts files that npm brought (vega-datasets) and shows what came out of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flowforge=build/release/flowforge
data=node_modules/vega-datasets/data
out=${DEMO_OUT:-build/demo}
rm -rf "$out"
mkdir -p "$out"

convert() {
    printf '\n$ flowforge convert %s %s\n' "$(basename "$1")" "$(basename "$2")"
    "$flowforge" convert "$1" "$2"
}

convert "$data/seattle-weather.csv" "$out/weather.parquet"
convert "$data/unemployment.tsv" "$out/unemployment.parquet"
convert "$data/birdstrikes.csv" "$out/birdstrikes.parquet"
convert "$data/movies.json" "$out/movies.parquet"
convert "$data/cars.json" "$out/cars.csv"
convert "$data/flights-3m.parquet" "$out/flights.ndjson"

printf '\nwritten to %s:\n' "$out"
ls -l "$out"
printf '\nthe first lines of cars.csv:\n'
head -n 3 "$out/cars.csv"
printf '\nthe first lines of flights.ndjson:\n'
head -n 3 "$out/flights.ndjson"
