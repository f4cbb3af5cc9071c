#!/usr/bin/env bash
# Builds the addon with sanitizers in a folder of its own: build/ keeps the ordinary addon.
#   scripts/build-sanitized.sh FOLDER SANITIZERS      (address,undefined or thread)
# An empty folder gets a copy of native/. Called again, it compiles what was changed in that copy.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
flags="-fsanitize=$2 -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"

# To the linker too, which makes the code when it optimises the whole.
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
