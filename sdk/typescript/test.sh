#!/usr/bin/env bash
# Builds the SDK from a clean checkout, checks its types, and tests the packed package against the real server.
#
# PROKURA is the path of the server's binary (default: target/debug/prokura). Requires Node 18 or newer, and npm.
set -euo pipefail
PROKURA=$(realpath "${PROKURA:-$(dirname "$0")/../../target/debug/prokura}")
export PROKURA
[ -x "$PROKURA" ] || { echo "test.sh: $PROKURA does not exist; run: cargo build -p prokura" >&2; exit 1; }
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm ci --no-audit --no-fund --silent
node_modules/.bin/prettier --check --log-level warn .

# Tests what would be published: the packed package, installed in a folder that has nothing else. The test tools are one folder up.
npm pack --silent --pack-destination "$work" >/dev/null
mv "$work"/prokura-sdk-*.tgz "$work/prokura-sdk.tgz"
ln -s "$PWD/node_modules" "$work/node_modules"
cp -r test/consumer "$work/consumer"
cp -r src test examples README.md ../behaviour.json "$work/consumer/"
cd "$work/consumer"
npm install --offline --no-audit --no-fund --no-package-lock --silent

tsc=$work/node_modules/.bin/tsc
"$tsc"
"$tsc" -p tsconfig.bundler.json
# Ends a test that hangs.
timeout 240 node --test --test-reporter=spec built/test/*.test.js
