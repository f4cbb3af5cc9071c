#!/usr/bin/env bash
# gVisor's runsc of Debian trixie in the cache folder. Prints its path. It is a static program.
set -euo pipefail

folder=$("$(dirname "${BASH_SOURCE[0]}")/../../support/debian-packages.sh" trixie runsc runsc)
echo "$folder/usr/bin/runsc"
