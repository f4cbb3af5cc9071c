#!/usr/bin/env bash
# Runs a Node script inside gVisor, with a network whose other end is outside of it.
#
#   sandbox.sh RUNSC NODE FOLDER SCRIPT PEER
#
# SCRIPT runs in the sandbox as 10.77.0.2, with FOLDER as its current directory. PEER runs outside, as 10.77.0.1, and may
# drop its packets. Both are Node scripts. Ends with the status of SCRIPT.
set -euo pipefail

readonly runsc=$1 node=$2 folder=$3 script=$4 peer=$5
readonly sandbox=gvisor-$$ outside=gvisor-peer-$$
scratch=$(mktemp -d)
peer_process=

cleanup() {
  if [[ -n $peer_process ]]; then kill "$peer_process" 2>/dev/null || true; fi
  for name in "$sandbox" "$outside"; do ip netns delete "$name" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap cleanup EXIT

ip netns add "$sandbox"
ip netns add "$outside"
ip link add inside netns "$sandbox" type veth peer name outside netns "$outside"
for end in "$sandbox inside 10.77.0.2/24" "$outside outside 10.77.0.1/24"; do
  read -r namespace device address <<<"$end"
  ip -n "$namespace" address add "$address" dev "$device"
  ip -n "$namespace" link set "$device" up
  ip -n "$namespace" link set lo up
done

mkfifo "$scratch/ready"
ip netns exec "$outside" "$node" "$peer" >"$scratch/ready" &
peer_process=$!
read -r _ <"$scratch/ready"

"$node" -e '
  const [, args, cwd, namespace] = process.argv;
  const namespaces = [
    { type: "network", path: `/run/netns/${namespace}` },
    ...["mount", "pid", "ipc", "uts"].map((type) => ({ type })),
  ];
  console.log(JSON.stringify({
    ociVersion: "1.0.0",
    process: { user: { uid: 0, gid: 0 }, args: JSON.parse(args), env: ["PATH=/usr/bin:/bin"], cwd },
    root: { path: "/", readonly: true },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    linux: { namespaces },
  }));
' "[\"$node\", \"$script\"]" "$folder" "$sandbox" >"$scratch/config.json"

# runsc takes a namespace with net.core.rmem_default for that of the system, and newer kernels have it in each one. So it is
# hidden, in this process alone.
unshare --mount bash -c '
  nsenter --net="/run/netns/$1" mount -t tmpfs none /proc/sys/net/core
  shift
  exec "$@"
' hidden "$sandbox" "$runsc" --root="$scratch/state" --platform=systrap --network=sandbox --ignore-cgroups \
  --overlay2=all:memory run --bundle "$scratch" "$sandbox"
