#!/usr/bin/env bash
# Prints the mirror of Debian that apt of this system is set to.
set -euo pipefail

mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' |
    head -n 1
}

found=$(mirror)
if [[ -z $found ]]; then
  # apt knows the origin of a repository only if it has its index.
  apt-get update -qq >&2
  found=$(mirror)
fi
[[ -n $found ]] || {
  echo "$0: apt is set to no mirror of Debian: add one to its sources" >&2
  exit 1
}
echo "$found"
