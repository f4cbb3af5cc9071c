#!/usr/bin/env bash
# Runs the whole suite on an addon built with AddressSanitizer and UndefinedBehaviorSanitizer, then every
# operation with leak detection. `npm run test:asan` runs it; arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A test runs as another user.
chmod 755 "$folder"
build() {
  scripts/build-sanitized.sh "$folder" address,undefined
}
build

# node itself is not instrumented, so the sanitizers' runtime must be loaded first.
preload=$(realpath "$(g++ -print-file-name=libasan.so)")
run() {
  SOCKET_OPTIONS_PREBUILD=$folder LD_PRELOAD=$preload UBSAN_OPTIONS=print_stacktrace=1 "$@"
}

# A sanitizer that is not in effect finds nothing either, so it must find planted bugs first.
plant() {
  sed -i.clean "s/Environment\* environment = new Environment();/& $1/" "$folder/native/addon.cc"
  build
  if ASAN_OPTIONS=detect_leaks=$3 run node -e 'require("./dist")' >"$folder/planted" 2>&1 ||
    ! grep -q "$2" "$folder/planted"; then
    echo "The sanitizers did not find a planted bug ($2):"
    cat "$folder/planted"
    exit 1
  fi
  mv "$folder/native/addon.cc.clean" "$folder/native/addon.cc"
  # Newer than the object file of the planted bug, so that make compiles it again.
  touch "$folder/native/addon.cc"
  echo "found the planted bug: $2"
}
plant 'volatile char* planted = new char[4]; delete[] planted; planted[0] = 1;' heap-use-after-free 0
plant 'volatile int planted = 2147483647; planted = planted + 1;' 'signed integer overflow' 0
plant 'volatile char* planted = new char[77]; planted[0] = 1; planted = nullptr;' '77 byte' 1
build

echo 'The suite, on the instrumented addon:'
ASAN_OPTIONS=detect_leaks=0 run npx --no-install vitest run --testTimeout=60000 --hookTimeout=120000 "$@"

# LeakSanitizer looks when a process ends in the ordinary way; those of a test runner do not.
echo 'Leaks, over every operation and workers:'
ASAN_OPTIONS=detect_leaks=1 run node --expose-gc test/lanes/memory/run.mjs --calls=200 --leaks-only
