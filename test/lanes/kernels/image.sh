#!/usr/bin/env bash
# Makes the guest of one kernel: `vmlinuz` and `initrd.gz` in the folder OUTPUT.
#
#   image.sh KERNEL BUSYBOX PROJECT NODE OUTPUT
#
# KERNEL and BUSYBOX are folders with unpacked packages of Debian. PROJECT is what the guest runs, by the program NODE.
set -euo pipefail

readonly kernel=$1 busybox=$2 project=$3 node=$4 output=$5
readonly tree=$output/tree
# What the guest's network and the package need: the network of two machines, its faults, and lists of connections.
readonly wanted=(veth nf_tables nf_conntrack tcp_diag udp_diag mptcp_diag)

mkdir -p "$tree"/{bin,dev,proc,sys,tmp,run,modules}

# Copies a program with the libraries that it is linked with.
program() {
  local file
  cp --parents -L "$1" "$tree"
  { ldd "$1" || true; } | grep -oE '/[^ ]+' | while read -r file; do cp --parents -L "$file" "$tree"; done
}
program "$(command -v ip)"
program "$(command -v nft)"
program "$node"
ln -s "$node" "$tree/bin/node"
cp "$(find "$busybox" -type f -path '*/bin/busybox')" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"

# Copies a module after those that it depends on, so that the guest can load them in this order.
declare -A seen
module() {
  local name=$1 file dependency
  if [[ -n ${seen[$name]-} ]]; then return; fi
  seen[$name]=yes
  file=$(find "$kernel" -path '*/modules/*' -name "${name//_/[-_]}.ko*" | head -n 1)
  if [[ -z $file ]]; then
    # Part of the kernel itself.
    grep -rqsE --include modules.builtin "/${name//_/[-_]}\.ko$" "$kernel" && return
    echo "this kernel has no module $name" >&2
    return 1
  fi
  for dependency in $(modinfo -F depends "$file" | tr , ' '); do module "$dependency"; done
  case $file in
    *.xz) xz -dc "$file" >"$tree/modules/$name.ko" ;;
    *) cp "$file" "$tree/modules/$name.ko" ;;
  esac
  echo "$name.ko" >>"$tree/modules/order"
}
for name in "${wanted[@]}"; do module "$name"; done

cp -r "$project" "$tree/project"
install -m 755 "$(dirname "${BASH_SOURCE[0]}")/guest/init" "$tree/init"
(cd "$tree" && find . | cpio -o -H newc --quiet) | gzip -1 >"$output/initrd.gz"
cp "$(find "$kernel" -name 'vmlinuz*' -type f | head -n 1)" "$output/vmlinuz"
rm -r "$tree"
