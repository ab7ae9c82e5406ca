#!/usr/bin/env bash
# The network of a lab and nothing else, made and taken away as directly as iproute2 can: what `npm run bench -- lab`
# measures against. Fails unless every port of the switch forwards.
set -euo pipefail

# The kernel takes everything away when the script ends.
if [[ ${1-} != inside ]]; then
  exec unshare --mount --net --pid --fork --kill-child -- bash "$0" inside
fi
mount -t tmpfs tmpfs /run

# Ports are made as members of the bridge by its index ("if100"). They have indexes of their own: with that of its peer,
# the kernel takes a veth for one that stands alone, and reports its carrier a second late.
ip -batch - <<'END'
netns add node1
netns add node2
netns add switch
netns add router
netns add client
link add name br0 index 100 netns switch up type bridge stp_state 0 mcast_snooping 0
link add name node1 index 101 netns switch master if100 up type veth peer name eth1 netns node1
link add name node2 index 102 netns switch master if100 up type veth peer name eth1 netns node2
link add name router index 103 netns switch master if100 up type veth peer name eth1 netns router
link add name eth2 index 104 netns router up type veth peer name eth1 netns client
END

# A veth cannot be made with its peer up (veth_open), and a batch stays in one namespace: one more command per node.
for node in node1 node2 router client; do
  ip -n "$node" -batch - <<'END'
link set dev lo up
link set dev eth1 up
END
done

# The kernel lets a port forward as soon as it has noticed the carrier.
for ((look = 1; look <= 1000; look++)); do
  [[ $(bridge -n switch link) =~ (state forwarding.*){3} ]] && exit 0
done
echo 'the ports of the switch do not forward' >&2
exit 1
