#!/bin/sh
# PID 1 of a host: links, its own root, /proc, /dev and /run, a new boot id, sshd, its services.
#
# Arguments: the lab's folder, the host's folder in it. Runs in namespaces of its own.
set -eu
lab=$1 host=$2
name=${host##*/}
disk=$lab/disk/hosts/$name

# As the machine counts, because this procfs is the machine's.
read -r pid _ </proc/self/stat

hostname "$name"
ip link set lo up
# Errors are about an earlier life's port, which may be gone; a missing one shows in the next line.
sed "s/SELF/$$/" "$host/router.batch" |
    nsenter --net="$lab/router" ip -force -batch - 2>/dev/null || true
ip -batch "$host/host.batch"

# The root: the machine's, below what every host of the lab has, below what this one writes.
root=$disk/root
mount -t overlay "$name" "$root" \
    -o "lowerdir=$lab/disk/ground:/,upperdir=$disk/upper,workdir=$disk/work,index=off,xino=off"
while read -r kept; do
    mkdir -p "$root$kept"
    mount --bind "$kept" "$root$kept"
    mount -o remount,bind,ro "$root$kept"
done <"$lab/kept"
mount -t tmpfs -o mode=755 dev "$root/dev"
for each in null zero full random urandom tty; do
    : >"$root/dev/$each"
    mount --bind "/dev/$each" "$root/dev/$each"
done
mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/before"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 pts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t sysfs -o ro sys "$root/sys"

cd "$root"
pivot_root . before
# Until here the log and the pid file are the machine's; from here on nothing of it is in sight.
mount -t proc proc /proc
echo "$pid" >"/before$host/pid.new"

cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
mkdir -p /run/sshd /run/lock /run/lab
chmod 1777 /run/lock
for each in postgres:postgresql knot:knot git:git; do
    ! id "${each%:*}" >/dev/null 2>&1 || install -d -m 2775 -o "${each%:*}" "/run/${each#*:}"
done
find /tmp -mindepth 1 -delete 2>/dev/null || true
mv "/before$host/pid.new" "/before$host/pid"
umount -l /before
rmdir /before

exec </dev/null >>/var/log/boot.log 2>&1
PATH=$(cat /etc/lab/path)
export PATH
cd /
/usr/sbin/sshd -D -E /var/log/sshd.log &
for each in /etc/lab/services/*; do
    [ ! -e "$each" ] || service "${each##*/}" start || true
done
until [ -s /run/sshd.pid ]; do sleep 0.02; done
: >/run/lab/booted
# What `reboot` sends; with PID 1 everything in the host ends.
trap 'exit 0' TERM
# `wait` also collects the dead that nobody else waits for.
while :; do
    sleep infinity &
    wait
done
