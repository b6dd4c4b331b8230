#!/usr/bin/env bash
# Runs the pipeline of demo/us-flights.yaml on files that npm brought (vega-datasets), from landing to gold, and shows what
# it made. DEMO_HOME: where (build/demo-home).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flowforge=build/release/flowforge
data=node_modules/vega-datasets/data
home=${DEMO_HOME:-build/demo-home}
pipeline="US flights"

show() { printf '\n$ flowforge %s\n' "$*"; }

if [ -e "$home/server.lock" ] && ! flock --nonblock "$home/server.lock" true 2>/dev/null; then
    echo "demo: a server runs on $home: stop it first, or set DEMO_HOME" >&2
    exit 1
fi
rm -rf "$home"
mkdir -p "$home/inbox"
for file in airports.csv us-state-capitals.json flights-3m.parquet birdstrikes.csv seattle-weather.csv; do
    cp "$data/$file" "$home/inbox/"
done
# One line that no schema fits, so that there is something in quarantine.
printf '\nSOMEWHERE,B-737,None,1990-13-45,MILITARY,Texas,Climb,Large,Gull,Day,0,0,n/a,300\n' >>"$home/inbox/birdstrikes.csv"

show apply demo/us-flights.yaml
"$flowforge" apply --home "$home" demo/us-flights.yaml

show run "'$pipeline'"
"$flowforge" run --home "$home" --quiet "$pipeline"

show run "'$pipeline'" "   # again: what is incremental has nothing to do"
"$flowforge" run --home "$home" --quiet "$pipeline"

show runs
"$flowforge" runs --home "$home"

show catalog
"$flowforge" catalog --home "$home"

show catalog show gold.state_report
"$flowforge" catalog show --home "$home" gold.state_report --limit 5

printf '\nThe files (landing, bronze, silver, gold, quarantine) are in %s/lake:\n' "$home"
(cd "$home/lake" && find . -name '.?*' -prune -o -type f -printf '%P\n' | sed -E 's|^([^/]*/[^/]*).*|\1|' | sort | uniq -c)
printf '\nmake serve   starts the server on this home and prints its URL\n'
