#!/usr/bin/env bash
# Compiles for Windows what the tests use: build.sh <folder of Node's headers> <checkout>
#   test/witness/build/Release/witness.node   the second witness
#   build/Release/socket_options.node         the addon, where there is none in prebuilds/
#   other-windows/build/Release/...           the addon, on a Windows of any version (fake/windows.cc)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly headers=$1 checkout=$2
readonly mingw=x86_64-w64-mingw32
readonly witness=$checkout/test/witness/build/Release

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What both take from Node, as a library that says where that is. awk: a file ends without a newline.
{
  echo 'NAME node.exe'
  echo 'EXPORTS'
  awk '/^n/' "$headers"/../def/*.def | sort -u
} >"$scratch/node.def"
"$mingw-dlltool" --input-def "$scratch/node.def" --output-lib "$scratch/libnode.a"

mkdir -p "$witness"
"$mingw-gcc-posix" -O2 -Wall -Wextra -Werror -isystem "$headers" -shared -static-libgcc -s \
  test/witness/witness.c "$scratch/libnode.a" -lws2_32 -o "$witness/witness.node"

# addon <folder> <what native/ calls Windows through>
addon() {
  mkdir -p "$1/build/Release"
  "$mingw-g++-posix" -std=c++17 -O2 -Wall -Wextra -fno-exceptions -fno-rtti -shared -static -s \
    -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=socket_options -DBUILDING_NODE_EXTENSION \
    -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS -isystem "$headers" \
    -isystem node_modules/node-addon-api native/{addon,tcp_info,connections,handles,win32}.cc "$2" \
    "$scratch/libnode.a" -lws2_32 -ladvapi32 -o "$1/build/Release/socket_options.node"
}
addon "$checkout/other-windows" test/windows/fake/windows.cc
if [[ ! -f $checkout/prebuilds/win32-x64/socket-options.node ]]; then
  addon "$checkout" native/win32_calls.cc
fi
