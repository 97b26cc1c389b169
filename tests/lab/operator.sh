#!/bin/sh
# Holds the place of the operator: the machine's own disk and processes, the lab's network.
#
# Argument: the lab's folder. Runs in a network, mount and UTS namespace of its own.
set -eu
lab=$1
host=$lab/operator
read -r pid _ </proc/self/stat
hostname operator
ip link set lo up
# Errors are about an earlier life's port, which may be gone; a missing one shows in the next line.
sed "s/SELF/$$/" "$host/router.batch" |
    nsenter --net="$lab/router" ip -force -batch - 2>/dev/null || true
ip -batch "$host/host.batch"
mount --bind "$lab/disk/ground/etc/hosts" /etc/hosts
mount --bind "$host/resolv.conf" "$(readlink -f /etc/resolv.conf)"
umount -l "$lab/disk"
echo "$pid" >"$host/pid.new"
mv "$host/pid.new" "$host/pid"
exec sleep infinity
