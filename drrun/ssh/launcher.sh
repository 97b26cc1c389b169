# The resident launcher: one per host and controller, on one channel. Reads requests on standard
# input, answers on standard output, starts every job in a session of its own, so that a job
# outlives this process, the channel, the link and the controller.
#
# Portable sh (dash, bash, busybox ash); no Python, no root. Needs: mkdir, mv, rm, cat, dd, head,
# tail, wc; setsid where there is one.
#
# Rules (FAULTS section 2):
# - `mkdir` of the job's folder is the claim; whoever loses it only reports (R2).
# - A script that did not arrive whole is never claimed and never executed (R8).
# - The exit code is written aside and renamed; nothing is removed before the controller says so,
#   which it does once the outcome is durable in its journal (R3, R4).
# - A job of a controller whose fencing token is older than the newest seen for the run is refused.
#
# Request: one line, then the stated number of bytes.   Answer: one line, then the stated bytes.
#   start RUN JOB EPOCH LINE PAYLOAD LIMIT  -> started | exists | refused EPOCH | cut | broken WHY
#                                   LINE bytes of a command line for sh, PAYLOAD bytes of its input
#   look RUN JOB                 -> absent | claimed | running | ended CODE | gone | rebooted
#                                   then: OUT ERR bytes kept so far, OUT ERR bytes beyond the limit,
#                                   1 once nothing more can come, boot id under which it began
#   read RUN JOB out|err OFFSET LENGTH  -> data LENGTH, then the bytes
#   kill RUN JOB SIGNAL          -> alive | dead (the runner's own group; sessions that the job
#                                   makes are ended by end.sh)
#   drop RUN JOB                 -> dropped
#   leave RUN                    -> left: nothing of the run stays on the host
#   list                         -> list COUNT, then so many lines RUN JOB
# Every answer begins with the nonce, so that what a login shell prints is never taken for one.

# Ours is strict; commands get the one that their login has.
mask=$(umask)
umask 077
set -f
base=$HOME/.drrun/jobs
nonce=$1
boot=-
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot </proc/sys/kernel/random/boot_id
setsid=
command -v setsid >/dev/null 2>&1 && setsid=setsid

say() { printf '%s %s\n' "$nonce" "$*"; }

# Start time of a process, to tell a reused pid; "-" where there is no /proc.
begun() {
    began=-
    [ -r "/proc/$1/stat" ] || return 1
    read -r began <"/proc/$1/stat" 2>/dev/null || return 1
    set -- ${began##*) }
    shift 19 2>/dev/null || return 1
    began=$1
}

# The job itself, in the folder where this launcher was started: bounded output, exit code by rename. Runs detached, with the job's folder as $1.
# The payload may hold secrets, and is gone from the disk before the command begins.
runner='
trap "" HUP
job=$1 limit=$2 mask=$3 boot=- began=-
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot </proc/sys/kernel/random/boot_id
if [ -r "/proc/$$/stat" ] && read -r began <"/proc/$$/stat"; then
    set -f; set -- ${began##*) }; shift 19; began=$1
fi
line=$(cat "$job/line")
exec <"$job/payload" && rm -f "$job/payload" "$job/line" || exit 1
echo "$$ $boot $began" >"$job/pid.new" && mv "$job/pid.new" "$job/pid" || exit 1
# dd writes what it reads at once, where head would keep it back until it has much.
keep() {
    have=0
    : >"$job/$1"
    while [ "$have" -lt "$limit" ]; do
        left=$(( limit - have )) size=65536
        [ "$left" -ge "$size" ] || size=$left
        count=$(( left / size ))
        [ "$count" -le 64 ] || count=64
        dd bs="$size" count="$count" >>"$job/$1" 2>/dev/null
        now=$(wc -c <"$job/$1")
        [ "$now" -gt "$have" ] || break
        have=$now
    done
    rest=$(wc -c)
    [ "$rest" -eq 0 ] || echo "$rest" >"$job/$1.more"
}
{ {
    (umask "$mask" && exec /bin/sh -c "$line") 2>&3 3>&-
    echo "$?" >"$job/exit.new" && mv "$job/exit.new" "$job/exit"
} | keep out; } 3>&1 | keep err
: >"$job/drained"
'

start() {
    where=$base/$1/$2 run=$base/$1 epoch=$3 line=$4 payload=$5 limit=$6
    if ! mkdir -p "$run" 2>/dev/null; then
        head -c "$(( line + payload ))" >/dev/null
        say broken cannot write "$base"
        return
    fi
    coming=$run/.coming.$$
    # Over pipes head never reads more than it is asked for, so the next request stays in place.
    head -c "$line" >"$coming.line" 2>/dev/null
    head -c "$payload" >"$coming.payload" 2>/dev/null
    claim
    rm -f "$coming.line" "$coming.payload"
}

claim() {
    if [ "$(wc -c <"$coming.line")" -ne "$line" ] || [ "$(wc -c <"$coming.payload")" -ne "$payload" ]
    then
        say cut
        return
    fi
    newest=0
    [ -r "$run/epoch" ] && read -r newest <"$run/epoch"
    if [ "$epoch" -lt "$newest" ]; then
        say refused "$newest"
        return
    fi
    if [ "$epoch" -gt "$newest" ]; then
        echo "$epoch" >"$run/epoch.$$" && mv "$run/epoch.$$" "$run/epoch"
    fi
    if ! mkdir "$where" 2>/dev/null; then
        if [ -d "$where" ]; then say exists; else say broken cannot write "$base"; fi
        return
    fi
    mv "$coming.payload" "$where/payload" && mv "$coming.line" "$where/line" || {
        say broken cannot write "$where"
        return
    }
    if [ -n "$setsid" ]; then
        setsid /bin/sh -c "$runner" drrun-job "$where" "$limit" "$mask" </dev/null >/dev/null 2>&1 &
    else
        (set -m; /bin/sh -c "$runner" drrun-job "$where" "$limit" "$mask" </dev/null >/dev/null 2>&1 &)
    fi
    say started
}

# Sets state, and pid where there is one.
find_state() {
    where=$base/$1/$2 pid=
    if [ ! -d "$where" ]; then state=absent
    elif [ -r "$where/exit" ] && read -r code <"$where/exit"; then state="ended $code"
    elif [ ! -r "$where/pid" ]; then state=claimed
    else
        read -r pid old_boot old_began <"$where/pid"
        if [ "$old_boot" != "$boot" ]; then state=rebooted
        elif [ "$old_began" = - ]; then
            if kill -0 "$pid" 2>/dev/null; then state=running; else state=gone; fi
        elif begun "$pid" && [ "$began" = "$old_began" ]; then state=running
        # Between the end of its shell and the exit code there is nothing; look once more.
        elif [ -r "$where/exit" ] && read -r code <"$where/exit"; then state="ended $code"
        else state=gone
        fi
    fi
}

size() { if [ -f "$1" ]; then wc -c <"$1"; else echo 0; fi; }
more() { more=0; [ -r "$1.more" ] && read -r more <"$1.more"; echo "$more"; }

look() {
    find_state "$1" "$2"
    # Asked before the sizes: once it is there they are final.
    drained=0 under=-
    [ -e "$where/drained" ] && drained=1
    [ -r "$where/pid" ] && read -r old_pid under old_began <"$where/pid"
    # shellcheck disable=SC2046
    set -- $(size "$where/out") $(size "$where/err") $(more "$where/out") $(more "$where/err")
    say "$state" "$1" "$2" "$3" "$4" "$drained" "$under"
}

fetch() {
    file=$base/$1/$2/$3
    there=$(size "$file")
    length=$(( there - $4 ))
    [ "$length" -gt "$5" ] && length=$5
    [ "$length" -lt 0 ] && length=0
    say data "$length"
    [ "$length" -eq 0 ] || tail -c "+$(( $4 + 1 ))" "$file" 2>/dev/null | head -c "$length"
}

# Ends the job's whole process group, after making sure that it is still the job's. The form without
# `--` is the one that dash, bash and busybox all take.
end() {
    find_state "$1" "$2"
    if [ -n "$pid" ] && [ "$state" != rebooted ] && [ "$state" != gone ]; then
        kill -"$3" "-$pid" 2>/dev/null
        if kill -0 "-$pid" 2>/dev/null; then say alive; else say dead; fi
    else
        say dead
    fi
}

list() {
    set +f
    count=0 lines=
    for each in "$base"/*/*/; do
        [ -d "$each" ] || continue
        each=${each%/}
        job=${each##*/}
        each=${each%/*}
        count=$(( count + 1 ))
        lines="$lines${each##*/} $job
"
    done
    set -f
    say list "$count"
    printf '%s' "$lines"
}

# The run's folder with its token stays until the controller is done with the run.
drop() {
    [ -n "$1" ] && [ -n "$2" ] && rm -rf "${base:?}/$1/$2"
    say dropped
}

leave() {
    [ -n "$1" ] && rm -rf "${base:?}/$1"
    rmdir "$base" "${base%/*}" 2>/dev/null
    say left
}

say ready 1 "$boot" "${setsid:-none}"
while read -r verb one two three four five six; do
    case $verb in
        start) start "$one" "$two" "$three" "$four" "$five" "$six" ;;
        look) look "$one" "$two" ;;
        read) fetch "$one" "$two" "$three" "$four" "$five" ;;
        kill) end "$one" "$two" "$three" ;;
        drop) drop "$one" "$two" ;;
        leave) leave "$one" ;;
        list) list ;;
        bye) exit 0 ;;
        *) say what ;;
    esac
done
