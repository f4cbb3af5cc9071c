#!/bin/sh
# smoke.sh <tarball>: installs it in an empty project, and runs smoke.mjs there. Plain sh, for Alpine.
set -eu

tarball=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
cp "$(dirname "$0")/smoke.mjs" "$project"
cd "$project"
echo '{ "name": "user", "private": true }' >package.json
npm install --ignore-scripts --no-audit --no-fund "$tarball"
node smoke.mjs
