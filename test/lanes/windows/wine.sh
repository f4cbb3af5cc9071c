#!/usr/bin/env bash
# Wine 10 of Debian trixie in the cache folder, for a Debian whose own Wine is too old (Wine 8 knows no
# TCP_KEEPIDLE, and Node 24 aborts in it). Prints the folder; made once, then found.
#
# It brings its own C library, so it needs no chroot, no mounts and no display.
set -euo pipefail

readonly cache=${SOCKET_OPTIONS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/socket-options}
readonly wine=$cache/wine10

if [[ -d $wine ]]; then
  echo "$wine"
  exit
fi

need() {
  command -v "$1" >/dev/null || {
    echo "test/lanes/windows/wine.sh: $1 is missing: apt-get install $1" >&2
    exit 1
  }
}
need mmdebstrap
need patchelf

repository=$("$(dirname "${BASH_SOURCE[0]}")/../../support/debian-mirror.sh")

mkdir -p "$cache"
# Beside its place and renamed at the end: what was broken off is never taken for the whole.
making=$(mktemp -d "$wine.XXXXXX")
trap 'rm -rf "$making"' EXIT
chmod 755 "$making"

# mmdebstrap reads apt's configuration of the new root only: proxies and the like are handed over.
apt-config dump | grep '^Acquire::' >"$making/apt.conf"
mmdebstrap --quiet --variant=extract --include=wine64,libwine --aptopt="$making/apt.conf" \
  --dpkgopt='path-exclude=/usr/share/doc/*' trixie "$making/root" "$repository" >&2
rm "$making/apt.conf"

readonly root=$making/root
readonly libraries=usr/lib/x86_64-linux-gnu

# What the package's postinst does: without this mark Wine does not take the file for one of its own.
readonly zlib=$root/usr/x86_64-w64-mingw32/lib/zlib1.dll
{
  head -c 64 "$zlib"
  printf 'Wine builtin DLL'
  head -c 16 /dev/zero
  tail -c +97 "$zlib"
} >"$root/$libraries/wine/x86_64-windows/zlib1.dll"

# The package has a shell script there, whose shell would be this system's.
ln -sfn wineserver64 "$root/usr/lib/wine/wineserver"
# Its server looks for its tables one folder further down than they are.
ln -s . "$root/usr/share/wine/wine"
# A search path in the file, and not LD_LIBRARY_PATH, which every child would inherit. The loader's is
# absolute: that of the place to be.
for program in wine64 wineserver64; do
  patchelf --set-interpreter "$wine/root/$libraries/ld-linux-x86-64.so.2" \
    --force-rpath --set-rpath "\$ORIGIN/../x86_64-linux-gnu" "$root/usr/lib/wine/$program"
done

# Two thirds of it are for building programs, and for those of 32 bits.
find "$root" -name '*.a' -delete
rm -rf "$root/$libraries/wine/i386-windows" "$root/usr/i686-w64-mingw32" \
  "$root/usr/x86_64-w64-mingw32ucrt"

# Another run may have been faster; its copy is as good.
mv -T "$making" "$wine" 2>/dev/null || [[ -d $wine ]]
echo "$wine"
