#!/bin/sh
# Sees to it that a machine of Debian or Ubuntu, whichever release, has what a lab needs. Says what it installs; does nothing when all
# is there.
set -eu

# program and package
wanted='ip:iproute2 bridge:iproute2 tcpdump:tcpdump ethtool:ethtool ping:iputils-ping arping:iputils-arping sshd:openssh-server
nsenter:util-linux unshare:util-linux sudo:sudo'

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
packages=
for each in $wanted; do
  program=${each%%:*} package=${each#*:}
  if ! command -v "$program" >/dev/null; then
    case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
  fi
done
# another program has the same name, and other options
case $(arping -V 2>&1 || true) in *iputils*) ;; *) case " $packages " in *' iputils-arping '*) ;; *) packages="$packages iputils-arping" ;; esac ;; esac

if [ -z "$packages" ]; then
  echo 'macvlab: all programs are there'
elif command -v apt-get >/dev/null; then
  echo "macvlab: installing$packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update
  # shellcheck disable=SC2086 # several words
  apt-get -q install -y --no-install-recommends $packages
else
  echo "macvlab: this machine lacks$packages, and has no apt to install them; choose a box of Debian or Ubuntu" >&2
  exit 1
fi

# These are modules where they are not built in; a stock kernel's extra ones are in a package of their own on Ubuntu.
missing=
for module in macvlan bridge veth 8021q; do
  modprobe -q "$module" 2>/dev/null || [ -d "/sys/module/$module" ] ||
    grep -q "/$module\.ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null || missing="$missing $module"
done
[ -z "$missing" ] || echo "macvlab: the kernel $(uname -r) lacks$missing; on Ubuntu: apt-get install linux-modules-extra-$(uname -r)"
