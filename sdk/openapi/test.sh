#!/usr/bin/env bash
# Tests the API document: a linter finds no problem, and a generated client works with the real server.
#
# PROKURA is the path of the server's binary (default: target/debug/prokura). Requires Node 18 or newer, npm and jq.
set -euo pipefail
prokura=$(realpath "${PROKURA:-$(dirname "$0")/../../target/debug/prokura}")
cd "$(dirname "$0")"

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

npm ci --no-audit --no-fund --silent
# A member that has a default need not be sent.
node_modules/.bin/openapi-typescript ../../openapi.json --default-non-nullable false --output api.d.ts >/dev/null 2>&1
node_modules/.bin/tsc

"$prokura" serve --data-dir "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 300); do
    grep -q '^prokura is serving on ' "$work/out" && break
    kill -0 "$server" 2>/dev/null || { echo "test.sh: the server ended: $(cat "$work/log")" >&2; exit 1; }
    sleep 0.05
done
URL=$(jq -r .url "$work/data/bootstrap.json") \
CLIENT_ID=$(jq -r .clientId "$work/data/bootstrap.json") \
CLIENT_SECRET=$(jq -r .clientSecret "$work/data/bootstrap.json") \
    timeout 60 node --test built/
