#!/usr/bin/env bash
# Node of Debian trixie for riscv64, which npm does not have, in the cache folder. Prints the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder=$(../../support/debian-packages.sh trixie:riscv64 node-riscv64 nodejs libnode115 \
  node-{acorn,cjs-module-lexer,minimatch,undici} libbrotli1 libc6 libcares2 libgcc-s1 libicu76 libnghttp2-14 \
  libssl3t64 libstdc++6 libuv1t64 libzstd1 zlib1g)
# The loader is named by its place in a system whose /lib is a link.
ln -sfn usr/lib "$folder/lib"
echo "$folder"
