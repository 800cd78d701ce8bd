#!/usr/bin/env bash
# Everything that must hold of the SDK, from a clean checkout: it builds, its types are right, and the packed package does what
# it says, against the real server.
#
# PROKURA names the server's binary (default: target/debug/prokura). Needs node (18 or newer) and npm.
set -euo pipefail
PROKURA=$(realpath "${PROKURA:-$(dirname "$0")/../../target/debug/prokura}")
export PROKURA
[ -x "$PROKURA" ] || { echo "test.sh: there is no $PROKURA: build it first (cargo build -p prokura)" >&2; exit 1; }
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm ci --no-audit --no-fund --silent
node_modules/.bin/prettier --check --log-level warn .

# What is tested is what would be published: packed, and installed where nothing but the package itself can be found. The tools
# of the tests are found one folder up.
npm pack --silent --pack-destination "$work" >/dev/null
mv "$work"/prokura-sdk-*.tgz "$work/prokura-sdk.tgz"
ln -s "$PWD/node_modules" "$work/node_modules"
cp -r test/consumer "$work/consumer"
cp -r test examples README.md "$work/consumer/"
cd "$work/consumer"
npm install --offline --no-audit --no-fund --no-package-lock --silent

tsc=$work/node_modules/.bin/tsc
"$tsc"
"$tsc" -p tsconfig.bundler.json
# A test that hangs ends here.
timeout 120 node --test --test-reporter=spec built/test/*.test.js
