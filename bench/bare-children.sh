#!/usr/bin/env bash
# Macvlan children on one parent, created and deleted with `ip -batch`: what `npm run bench -- children` measures against.
# The argument is their number.
set -euo pipefail

# The kernel removes everything when the script ends.
if [[ ${2-} != inside ]]; then
  exec unshare --net -- bash "$0" "$1" inside
fi
ip link add name eth1 up type veth peer name peer
for ((child = 1; child <= $1; child++)); do echo "link add link eth1 name c$child type macvlan mode bridge"; done | ip -batch -
for ((child = 1; child <= $1; child++)); do echo "link delete c$child"; done | ip -batch -
