#!/bin/sh
# PID 1 of a lab: holds its namespaces and its disks; when it ends, the kernel ends everything.
#
# Argument: the lab's folder. Ends when its standard input does, unless the folder has `stay`.
# Its network namespace is the router of the lab.
set -eu
lab=$1

# Disks live here, in a mount namespace that nobody else sees.
mount -t tmpfs -o mode=755 lab "$lab/disk"
for host in "$lab"/hosts/*; do
    disk=$lab/disk/hosts/${host##*/}
    mkdir -p "$disk"
    # A file system of its own, so that it can be full.
    mount -t tmpfs -o mode=755,size=4g "${host##*/}" "$disk"
    mkdir "$disk/upper" "$disk/work" "$disk/root"
done
mount --bind /proc/self/ns/net "$lab/router"

set_kernel() { [ ! -e "/proc/sys/net/$1" ] || echo "$2" >"/proc/sys/net/$1"; }
set_kernel ipv4/ip_forward 1
set_kernel ipv6/conf/default/accept_dad 0
set_kernel ipv6/conf/all/forwarding 1
# Traffic inside a site is not the router's: null-routing a site must not touch it.
set_kernel bridge/bridge-nf-call-iptables 0
set_kernel bridge/bridge-nf-call-ip6tables 0
ip link set lo up
ip -batch "$lab/router.batch"
nft -f "$lab/router.nft"

# The procfs is still the machine's, so this is our number as the machine counts.
read -r pid _ </proc/self/stat
echo "$pid" >"$lab/keeper.new"
mv "$lab/keeper.new" "$lab/keeper"

# A background command gets no standard input unless it comes by another number.
exec 3<&0
# `wait` also collects the dead that nobody else waits for. Whoever started us holds the other end
# until it ends, or until the lab is complete and may stay without it.
cat <&3 >/dev/null &
wait $!
[ -e "$lab/stay" ] || exit 0
sleep infinity &
wait $!
