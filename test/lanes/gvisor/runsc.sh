#!/usr/bin/env bash
# gVisor's runsc of Debian trixie in the cache folder. Prints its path. Fetched once, then found.
#
# It is a static program: nothing is installed into the system.
set -euo pipefail

readonly cache=${SOCKET_OPTIONS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/socket-options}
readonly home=$cache/runsc
readonly program=usr/bin/runsc

if [[ -x $home/$program ]]; then
  echo "$home/$program"
  exit
fi

repository=$("$(dirname "${BASH_SOURCE[0]}")/../../support/debian-mirror.sh")

mkdir -p "$cache"
# Made beside its place and renamed at the end, so that an interrupted run leaves nothing that looks complete.
making=$(mktemp -d "$home.XXXXXX")
trap 'rm -rf "$making"' EXIT
chmod 755 "$making"

# A configuration of its own, with the settings of this system for proxies and the like.
mkdir -p "$making"/apt/{lists/partial,cache/archives/partial}
touch "$making/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $repository trixie main" \
  >"$making/apt/sources.list"
{
  apt-config dump | grep '^Acquire::'
  cat <<END
Dir::Etc::sourcelist "$making/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$making/apt";
Dir::State::status "$making/apt/status";
Dir::Cache "$making/apt/cache";
APT::Sandbox::User "root";
END
} >"$making/apt.conf"
(
  cd "$making"
  export APT_CONFIG=$making/apt.conf
  apt-get update -qq >&2
  apt-get download -qq runsc >&2
  dpkg -x runsc_*.deb .
)
rm -rf "$making/apt" "$making/apt.conf" "$making"/runsc_*.deb

# Another run may have been faster. Its copy is used.
mv -T "$making" "$home" 2>/dev/null || [[ -x $home/$program ]]
echo "$home/$program"
