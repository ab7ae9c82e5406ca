#!/bin/sh
# Makes a machine a part of the lab to play in: node1 192.168.245.168, node2 .172, and behind the switch the router .1 and a client.
# Can be run any number of times.
#
#   network.sh node1 node1=02:6d:76:6c:00:01
#   network.sh switch node1=02:6d:76:6c:01:01 node2=02:6d:76:6c:01:02
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
role=$1
shift

# `macvlab run` takes the cards away for its own network, and has this run again afterwards.
mkdir -p /usr/local/sbin /etc/macvlab
[ "$0" = /usr/local/sbin/macvlab-network ] || cp "$0" /usr/local/sbin/macvlab-network
chmod 755 /usr/local/sbin/macvlab-network
echo "$role $*" >/etc/macvlab/role
# sudo looks its host's name up, for 10 s where nobody answers
grep -qw "$role" /etc/hosts || echo "127.0.1.1 $role" >>/etc/hosts
if command -v hostname >/dev/null; then hostname "$role"; fi

# The cards are ours: networkd would ask for addresses there, and take ours away when a card comes back.
if [ -d /run/systemd/netif ]; then
  mkdir -p /etc/systemd/network
  for each; do
    printf '[Match]\nMACAddress=%s\n[Link]\nUnmanaged=yes\n' "${each#*=}" >"/etc/systemd/network/00-macvlab-${each%%=*}.network"
  done
  networkctl reload || true
fi

# card ADDRESS NAME: gives the card of that address its name. One that comes back from a namespace that has ended takes a moment.
card() {
  rounds=0
  while :; do
    for device in /sys/class/net/*; do
      [ -e "$device/device" ] || continue
      read -r address <"$device/address"
      if [ "$address" = "$1" ]; then
        device=${device##*/}
        [ "$device" = "$2" ] && return
        ip link set dev "$device" down
        ip link set dev "$device" name "$2"
        return
      fi
    done
    rounds=$((rounds + 1))
    if [ $rounds -gt 60 ]; then
      echo "macvlab: no network card has the address $1" >&2
      exit 1
    fi
    sleep 0.5
  done
}

if [ "$role" != switch ]; then
  card "${1#*=}" eth1
  [ "$role" = node1 ] && host=168 || host=172
  ip link set dev eth1 up
  ip address replace "192.168.245.$host/24" dev eth1
  ip route replace 10.8.0.0/16 via 192.168.245.1
  exit
fi

ip link show dev br0 >/dev/null 2>&1 || ip link add name br0 type bridge stp_state 0 mcast_snooping 0
ip link set dev br0 up
for each; do
  card "${each#*=}" "${each%%=*}"
  ip link set dev "${each%%=*}" master br0 up
done
for space in router client; do ip netns list | grep -qw "$space" || ip netns add "$space"; done
ip link show dev router >/dev/null 2>&1 || ip link add name router type veth peer name eth1 netns router
ip -n router link show dev eth2 >/dev/null 2>&1 || ip -n router link add name eth2 type veth peer name eth1 netns client
ip link set dev router master br0 up
for space in router client; do ip -n "$space" link set dev lo up; done
ip -n router link set dev eth1 up
ip -n router link set dev eth2 up
ip -n client link set dev eth1 up
ip -n router address replace 192.168.245.1/24 dev eth1
ip -n router address replace 10.8.0.1/16 dev eth2
ip -n client address replace 10.8.0.241/16 dev eth1
ip -n client route replace default via 10.8.0.1
ip netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
