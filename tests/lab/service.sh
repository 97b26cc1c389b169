#!/bin/sh
# service NAME start|stop|restart|reload|status: the services of this host, without an init system.
#
# /etc/lab/services/NAME is the script that runs it in the foreground or starts its daemons;
# everything that it starts is in one session, and ends with `stop`.
set -eu
name=$1 verb=$2
script=/etc/lab/services/$name mark=/run/lab/$name.session
[ -e "$script" ] || { echo "service: there is no $name here" >&2; exit 5; }

# A skewed clock, if somebody skewed it.
# shellcheck source=/dev/null
[ ! -e /etc/lab/environment ] || . /etc/lab/environment

members() {
    [ -e "$mark" ] || return 0
    ps -e -o sid=,pid= | awk -v wanted="$(cat "$mark")" '$1 == wanted { print $2 }'
}

case $verb in
start)
    [ -z "$(members)" ] || exit 0
    # shellcheck disable=SC2016
    setsid sh -c 'echo $$ >"$1"; exec sh "$2"' sh "$mark" "$script" \
        </dev/null >>"/var/log/$name.log" 2>&1 &
    until [ -s "$mark" ]; do sleep 0.01; done
    ;;
stop)
    # Who is told to end may have something to write first: 10 s, then all of it is ended.
    how=$(sed -n 's/^# stop: //p' "$script")
    leader=$(cat "$mark" 2>/dev/null || true)
    turns=100
    # shellcheck disable=SC2046,SC2086
    kill -s "${how:-TERM}" ${leader:-$(members)} 2>/dev/null || true
    while [ -n "$(members)" ] && [ $((turns -= 1)) -gt 0 ]; do sleep 0.1; done
    # shellcheck disable=SC2046
    [ -z "$(members)" ] || kill -s KILL $(members) 2>/dev/null || true
    rm -f "$mark"
    ;;
restart)
    "$0" "$name" stop
    "$0" "$name" start
    ;;
reload)
    # The first of the session is the daemon, since its script ends in `exec`.
    kill -s HUP "$(cat "$mark")"
    ;;
status)
    [ -n "$(members)" ] || { echo "$name is not running"; exit 3; }
    echo "$name is running"
    ;;
*)
    echo "service: NAME start|stop|restart|reload|status" >&2
    exit 2
    ;;
esac
