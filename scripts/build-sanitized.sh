#!/usr/bin/env bash
# Builds the addon with sanitizers in a folder of its own, so that build/ keeps the ordinary addon.
# npm run test:asan, test:fuzz and test:tsan run it; a person, to look at one crash.
#   scripts/build-sanitized.sh FOLDER SANITIZERS      (address,undefined or thread)
# An empty folder gets a copy of native/. A second call compiles what was changed in that copy.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
flags="-fsanitize=$2 -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"

# The linker needs the flags too, because it generates the code (-flto).
gyp() {
  CFLAGS=$flags CXXFLAGS=$flags LDFLAGS=$flags npx --no-install node-gyp "$1" -C "$folder"
}

{
  if [[ ! -e $folder/binding.gyp ]]; then
    cp -r binding.gyp native package.json "$folder"
    ln -s "$PWD/node_modules" "$folder/node_modules"
    gyp configure
  fi
  gyp build
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
