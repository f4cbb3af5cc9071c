#!/usr/bin/env bash
# Compiles the tests' second witness for Windows: witness.sh <folder of node_api.h> <output>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly headers=$1 output=$2
readonly mingw=x86_64-w64-mingw32

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$mingw-gcc-posix" -O2 -Wall -Wextra -Werror -isystem "$headers" -c test/witness/witness.c \
  -o "$scratch/witness.o"
# What it takes from Node, as a library that says where that is.
{
  echo 'NAME node.exe'
  echo 'EXPORTS'
  "$mingw-nm" --undefined-only "$scratch/witness.o" | grep -o 'napi_.*'
} >"$scratch/node.def"
"$mingw-dlltool" --input-def "$scratch/node.def" --output-lib "$scratch/libnode.a"
mkdir -p "$(dirname "$output")"
"$mingw-gcc-posix" -shared -static-libgcc -s "$scratch/witness.o" "$scratch/libnode.a" -lws2_32 \
  -o "$output"
