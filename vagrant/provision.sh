#!/bin/sh
# Sees to it that a machine of Debian or Ubuntu, whichever release, has what a lab needs. Says what it installs; does nothing when all
# is there.
set -eu

# program and package
wanted='ip:iproute2 bridge:iproute2 tc:iproute2 tcpdump:tcpdump ethtool:ethtool ping:iputils-ping arping:iputils-arping
sshd:openssh-server nsenter:util-linux unshare:util-linux mount:mount sudo:sudo'

# Those who log in need not have the sbin folders in theirs. MACVLAB_PATH: for a test.
PATH=${MACVLAB_PATH-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export LC_ALL=C

# there PROGRAM: whether it is, and is not another program of the same name, with other options
there() {
  command -v "$1" >/dev/null || return 1
  case $1 in ping | arping) case $("$1" -V 2>&1 || true) in *iputils*) ;; *) return 1 ;; esac ;; esac
}

packages=
for each in $wanted; do
  there "${each%%:*}" && continue
  case " $packages " in *" ${each#*:} "*) ;; *) packages="$packages ${each#*:}" ;; esac
done

# refuse WHAT NEXT: in one piece, since several machines say it at once
refuse() {
  printf 'macvlab: %s\n  next: %s\n' "$1" "$2" >&2
  exit 1
}

# A machine that has just been started may be at work on its packages by itself: cloud-init, unattended-upgrades.
apt() { apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 "$@"; }

# The timeout above is not for the lists' lock. Lists that cannot be fetched are told, and old ones may do.
update() {
  words=$(mktemp)
  rounds=0
  while :; do
    apt update >"$words" 2>&1 || true
    rounds=$((rounds + 1))
    if [ $rounds -gt 120 ] || ! grep -q '^E: .*lock.*/lists' "$words"; then break; fi
    [ $rounds -gt 1 ] || echo 'macvlab: waiting for another program that updates the package lists'
    sleep 5
  done
  cat "$words"
  rm -f "$words"
}

install() {
  # Services are not restarted meanwhile: the one that we have come by is among them.
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  apt install -y --no-install-recommends "$@" </dev/null
}

if [ -z "$packages" ]; then
  echo 'macvlab: all programs are there'
elif command -v apt-get >/dev/null; then
  echo "macvlab: installing$packages"
  if command -v cloud-init >/dev/null; then timeout 600 cloud-init status --wait >/dev/null 2>&1 || true; fi
  update
  # shellcheck disable=SC2086 # several words
  install $packages ||
    refuse "the machine $(uname -n) lacks$packages, and apt cannot install them: it says above why" \
      'where it does not reach a package archive: management: nat in vagrant/settings.yaml, a box that has these programs, or the box macvlab; then vagrant provision'
  for each in $wanted; do
    there "${each%%:*}" || refuse "the machine $(uname -n) still lacks ${each%%:*} of the package ${each#*:}" 'choose a box of Debian or Ubuntu'
  done
else
  refuse "the machine $(uname -n) lacks$packages, and has no apt to install them" 'choose a box of Debian or Ubuntu'
fi

# What kinds of network devices the kernel has is tried, where nothing remains of it; that also loads their modules.
missing() {
  # shellcheck disable=SC2016 # for the inner shell
  unshare --net sh -c '
    ip link add name v0 type veth peer name v1 2>/dev/null || printf " veth"
    ip link add name p0 type bridge 2>/dev/null || { printf " bridge"; ip link set dev v0 name p0 2>/dev/null || true; }
    ip link add link p0 name m0 type macvlan 2>/dev/null || printf " macvlan"
    ip link add link p0 name p0.5 type vlan id 5 2>/dev/null || printf " 8021q"'
}
lacks=$(missing || printf " network namespaces")
# a stock kernel's extra modules are in a package of their own on Ubuntu
extra=linux-modules-extra-$(uname -r)
if [ -n "$lacks" ] && command -v apt-cache >/dev/null && apt-cache show "$extra" >/dev/null 2>&1; then
  echo "macvlab: the kernel lacks$lacks; installing $extra"
  install "$extra" && lacks=$(missing)
fi
[ -z "$lacks" ] || echo "macvlab: the kernel $(uname -r) lacks$lacks: what needs them is skipped. Another box has another kernel."
