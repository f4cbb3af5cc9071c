#!/usr/bin/env bash
# Packages of any Debian suite, unpacked in the cache folder. Prints the folder. Fetched once, then found.
#
#   test/support/debian-packages.sh SUITE[:ARCH] FOLDER PACKAGE...
#
# SUITE is trixie, sid and so on. `experimental` takes a package from sid where experimental has none. ARCH is that of
# this system if it is left out. FOLDER is a name in the cache folder: delete the folder to fetch newer versions. Its file
# `packages` has a line for each package: its name and its version.
#
# Nothing is installed into the system: no script of a package runs, and no dependency is fetched.
set -euo pipefail

if (($# < 3)); then
  echo "usage: $0 SUITE[:ARCH] FOLDER PACKAGE..." >&2
  exit 2
fi
readonly suite=${1%%:*}
architecture=$(dpkg --print-architecture)
if [[ $1 == *:* ]]; then architecture=${1#*:}; fi
readonly cache=${SOCKET_OPTIONS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/socket-options}
readonly home=$cache/$2
shift 2

# Whether a folder has what is asked for. A later version of a lane may ask for more packages.
complete() {
  local package
  for package in "$@"; do
    grep -qs "^$package " "$home/packages" || return 1
  done
}

if complete "$@"; then
  echo "$home"
  exit
fi

repository=$("$(dirname "${BASH_SOURCE[0]}")/debian-mirror.sh")
suites=("$suite")
if [[ $suite == experimental ]]; then suites=(sid experimental); fi

mkdir -p "$cache"
# Made beside its place and renamed at the end, so that an interrupted run leaves nothing that looks complete.
making=$(mktemp -d "$home.XXXXXX")
trap 'rm -rf "$making"' EXIT
chmod 755 "$making"

# A configuration of its own, with the settings of this system for proxies and the like.
readonly apt=$making/.apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial}
touch "$apt/status"
for name in "${suites[@]}"; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $repository $name main"
done >"$apt/sources.list"
{
  apt-config dump | grep '^Acquire::'
  cat <<END
APT::Architecture "$architecture";
APT::Architectures "$architecture";
APT::Default-Release "$suite";
APT::Sandbox::User "root";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
END
} >"$apt/apt.conf"
(
  cd "$apt"
  export APT_CONFIG=$apt/apt.conf
  apt-get update -qq >&2
  apt-get download -qq "$@" >&2
)
for file in "$apt"/*.deb; do
  dpkg -x "$file" "$making"
  dpkg-deb --showformat '${Package} ${Version}\n' --show "$file" >>"$making/packages"
done
rm -rf "$apt"

# Another run may have been faster: its copy is used. A copy that lacks a package is replaced.
complete "$@" || rm -rf "$home"
mv -T "$making" "$home" 2>/dev/null || complete "$@"
echo "$home"
