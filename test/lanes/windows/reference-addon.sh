#!/usr/bin/env bash
# Compiles the tests' reference addon for Windows: reference-addon.sh <folder of Node's headers> <output>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly headers=$1 output=$2
readonly mingw=x86_64-w64-mingw32

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What it takes from Node, as a library that says where that is. awk: a file ends without a newline.
{
  echo 'NAME node.exe'
  echo 'EXPORTS'
  awk '/^n/' "$headers"/../def/*.def | sort -u
} >"$scratch/node.def"
"$mingw-dlltool" --input-def "$scratch/node.def" --output-lib "$scratch/libnode.a"
mkdir -p "$(dirname "$output")"
"$mingw-gcc-posix" -O2 -Wall -Wextra -Werror -isystem "$headers" -shared -static-libgcc -s \
  test/support/reference-addon/reference-addon.c "$scratch/libnode.a" -lws2_32 -o "$output"
