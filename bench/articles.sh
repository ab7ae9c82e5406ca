#!/usr/bin/env bash
# Articles A1 and A4 by their own commands, on a lab equal to macvlab's: what `npm run bench -- articles` measures against.
# With the argument without-table it leaves out the table A1.5, which takes minutes.
# Prints one line per step, and `part <name> <milliseconds>` for each part; ends with 1 at the first unexpected outcome.
# Nothing is made faster than the articles do it, and nothing slower: two echoes by ping's own defaults for every cell.
set -euo pipefail

# Everything is made in private namespaces, which the kernel takes away when the script ends.
if [[ ${1-} != inside ]]; then
  exec unshare --mount --net --pid --mount-proc --fork --kill-child -- bash "$0" inside "${1-}"
fi
with_table=true
if [[ ${2-} == without-table ]]; then with_table=false; fi
mount -t tmpfs tmpfs /run

part_began=0

milliseconds() {
  local now=$EPOCHREALTIME
  now=${now/[.,]/}
  echo $((now / 1000))
}

begin() {
  part_began=$(milliseconds)
}

end() {
  echo "part $1 $(($(milliseconds) - part_began))"
}

fail() {
  echo "$*" >&2
  exit 1
}

# ---- the lab: node1, node2 and router on a switch, client behind the router ----

# The switch's side is up before the nodes' is, and has indexes of its own; otherwise carrier is reported a second late.
cable() {
  local node=$1 device=$2 peer=$3 name=$4 index=$5
  ip link add name "$name" index "$index" netns "$peer" type veth peer name "$device" netns "$node"
}

build_lab() {
  local node
  for node in node1 node2 switch router client ns1 ns2 ns3; do
    ip netns add "$node"
    ip -n "$node" link set lo up
  done
  cable node1 eth1 switch node1 101
  cable node2 eth1 switch node2 102
  cable router eth1 switch router 103
  cable client eth1 router eth2 104
  ip -n switch link add br0 type bridge stp_state 0 mcast_snooping 0
  ip -n switch link set br0 up
  for node in node1 node2 router; do
    ip -n switch link set "$node" master br0
    ip -n switch link set "$node" up
  done
  for node in node1 node2 router client; do
    ip -n "$node" link set eth1 up
  done
  ip -n router link set eth2 up
  ip netns exec router sysctl -q -w net.ipv4.ip_forward=1
  for node in node1 node2 router client ns1 ns2 ns3; do
    ip netns exec "$node" sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  done
}

# ---- steps ----

# ping's status: 0 answered, 1 no reply, anything else is no outcome but a mistake.
reach() {
  local id=$1 expected=$2 from=$3 to=$4 status=0 found
  ip netns exec "$from" ping -c 2 "$to" >/dev/null || status=$?
  case $status in
    0) found=ok ;;
    1) found=lost ;;
    *) fail "$id: ping from $from to $to ended with status $status" ;;
  esac
  [[ $found == "$expected" ]] || fail "$id: $from to $to: $found, expected $expected"
  echo "$id $from to $to: $found"
}

# A child of a node's eth1 in a namespace: child <node> <namespace> <mode> <address>
child() {
  ip -n "$1" link add link eth1 name mac1 type macvlan mode "$3"
  ip -n "$1" link set mac1 netns "$2"
  ip -n "$2" addr add "$4" dev mac1
  ip -n "$2" link set mac1 up
}

delete_children() {
  local namespace
  for namespace in "$@"; do ip -n "$namespace" link delete mac1; done
}

promiscuous() {
  ip -n "$1" link set "$2" promisc "$3"
}

# containers <mode> <last digits of ns1> <last digits of ns2>
containers() {
  child node1 ns1 "$1" "10.211.55.$2/24"
  child node1 ns2 "$1" "10.211.55.$3/24"
}

# The article's table of one mode: table <id> <address of ns2> <sibling> <own parent>
table() {
  reach "$1" "$3" ns1 "$2"
  reach "$1" ok ns1 10.211.55.1
  reach "$1" ok ns1 10.211.55.10
  reach "$1" "$4" ns1 10.211.55.18
}

hairpin() {
  bridge -n switch link set dev node1 hairpin "$1"
}

# ---- A1: bridge, private and vepa on one node ----

# <id> <mode> <ns1> <ns2> <sibling> <own parent>
one_mode() {
  promiscuous node1 eth1 on
  containers "$2" "$3" "$4"
  promiscuous ns1 mac1 on
  promiscuous ns2 mac1 on
  table "$1" "10.211.55.$4" "$5" "$6"
  delete_children ns1 ns2
  promiscuous node1 eth1 off
}

# <mode> <ns1> <ns2> <sibling>
promiscuous_or_not() {
  local parent children
  containers "$1" "$2" "$3"
  for parent in off on; do
    for children in off on; do
      promiscuous node1 eth1 "$parent"
      promiscuous ns1 mac1 "$children"
      promiscuous ns2 mac1 "$children"
      table "A1.5 $1, parent $parent, children $children:" "10.211.55.$3" "$4" lost
    done
  done
  delete_children ns1 ns2
  promiscuous node1 eth1 off
}

# What the switch reflects of a private child's broadcast: nothing of it at the sibling, while the child itself gets it back.
private_is_stricter() {
  local capture=/run/sibling listener
  hairpin on
  containers private 111 112
  ip netns exec ns2 tcpdump -n -l -i mac1 arp >"$capture" 2>"$capture.words" &
  listener=$!
  until grep -q 'listening on' "$capture.words"; do
    kill -0 "$listener" || fail "A1.6: $(<"$capture.words")"
  done
  reach A1.6 lost ns1 10.211.55.112
  kill -INT "$listener"
  wait "$listener" || true
  if grep -q 'who-has 10.211.55.112' "$capture"; then fail 'A1.6: the sibling has seen the request'; fi
  echo 'A1.6 nothing of it was captured at the sibling'
  delete_children ns1 ns2
  hairpin off
}

one_mode_after_the_other() {
  local mode before after
  before=$(ip -n node1 -d link show)
  for mode in bridge private vepa bridge; do
    containers "$mode" 101 102
    ip -n ns1 -d link show mac1 | grep -q "macvlan *mode $mode" || fail "A1.7: mac1 is not in mode $mode"
    if [[ $mode == bridge ]]; then
      reach "A1.7 $mode:" ok ns1 10.211.55.102
    else
      reach "A1.7 $mode:" lost ns1 10.211.55.102
    fi
    delete_children ns1 ns2
    after=$(ip -n node1 -d link show)
    [[ $after == "$before" ]] || fail "A1.7: $mode left something behind: $after"
  done
}

article1() {
  ip -n node1 addr add 10.211.55.18/24 dev eth1
  ip -n node2 addr add 10.211.55.10/24 dev eth1
  ip -n router addr add 10.211.55.1/24 dev eth1
  begin
  one_mode A1.1 bridge 101 102 ok lost
  one_mode A1.2 private 111 112 lost lost
  one_mode A1.3 vepa 121 122 lost lost
  hairpin on
  one_mode A1.4 vepa 121 122 ok ok
  hairpin off
  end A1.1-4
  if $with_table; then
    begin
    promiscuous_or_not bridge 101 102 ok
    promiscuous_or_not private 111 112 lost
    promiscuous_or_not vepa 121 122 lost
    end A1.5
  fi
  begin
  private_is_stricter
  end A1.6
  begin
  one_mode_after_the_other
  end A1.7
  for node in node1 node2 router; do ip -n "$node" addr flush dev eth1; done
}

# ---- A4: bridge mode in depth ----

take_over() {
  ip -n node1 -batch - <<'END'
link add link eth1 name mac0 type macvlan mode bridge
address delete 192.168.179.9/16 dev eth1
link set dev mac0 up
address add 192.168.179.9/16 dev mac0
route replace default via 192.168.1.1 dev mac0
END
}

give_back() {
  ip -n node1 -batch - <<'END'
link delete dev mac0
address add 192.168.179.9/16 dev eth1
route replace default via 192.168.1.1 dev eth1
END
}

article4() {
  begin
  ip -n node1 addr add 192.168.179.9/16 dev eth1
  ip -n node1 route add default via 192.168.1.1
  ip -n node2 addr add 192.168.179.10/16 dev eth1
  ip -n node2 route add default via 192.168.1.1
  ip -n router addr add 192.168.1.1/16 dev eth1
  ip -n router addr add 10.8.0.1/16 dev eth2
  ip -n client addr add 10.8.0.241/16 dev eth1
  ip -n client route add default via 10.8.0.1
  child node1 ns1 bridge 192.168.179.12/16
  child node1 ns2 bridge 192.168.179.13/16
  child node2 ns3 bridge 192.168.179.14/16

  ip -n ns1 -d link show mac1 | grep -q 'macvlan *mode bridge' || fail 'A4.1: mac1 is not in mode bridge'
  echo 'A4.1 mac1: macvlan mode bridge'
  reach A4.2 ok ns1 192.168.179.13
  reach A4.2 ok ns2 192.168.179.12
  reach A4.3 ok ns1 192.168.179.10
  reach A4.4 ok ns1 192.168.179.14
  reach A4.5 lost client 192.168.179.12
  ip -n ns1 route add default via 192.168.1.1 dev mac1
  reach A4.6 ok client 192.168.179.12
  reach A4.7 lost ns1 192.168.179.9
  reach A4.8 ok node2 192.168.179.9
  take_over
  reach A4.8 ok ns1 192.168.179.9
  reach A4.8 ok node2 192.168.179.9
  give_back
  reach A4.9 ok ns1 192.168.179.10
  ip -n node1 link set eth1 down
  reach A4.9 lost ns1 192.168.179.10
  reach A4.9 lost ns1 192.168.179.13
  ip -n node1 link set eth1 up
  reach A4.9 ok ns1 192.168.1.1
  reach A4.9 ok ns1 192.168.179.10
  reach A4.9 ok ns2 192.168.179.12
  end A4
}

begin
build_lab
end lab
article1
article4
