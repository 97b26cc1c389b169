#!/bin/sh
# Starts the operator's place and the named hosts, and returns; each host boots again when it
# dies, unless it is off.
#
# Arguments: the lab's folder, names of hosts. Runs in the keeper's namespaces.
set -eu
lab=$1
shift

live() {
    while :; do
        # Off: looks four times a second whether somebody pressed the button.
        while [ -e "$1/off" ]; do sleep 0.25; done
        unshare --mount --pid --net --uts --ipc --fork --kill-child \
            sh "$lab/init.sh" "$lab" "$1" >>"$1/log" 2>&1 || echo "down: $?" >>"$1/log"
        # A host that cannot boot must not keep a processor busy.
        [ -e "$1/pid" ] || sleep 1
        rm -f "$1/pid"
    done
}

unshare --mount --net --uts sh "$lab/operator.sh" "$lab" </dev/null >"$lab/operator/log" 2>&1 &
# From here on nobody's pipe is held: a redirected call of a function would keep a copy.
exec </dev/null >/dev/null 2>&1
for name; do live "$lab/hosts/$name" & done
