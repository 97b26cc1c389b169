# The launcher: one for each host and controller, on one channel. It reads requests on standard
# input, one a line, and starts every command in a session of its own, which outlives this process,
# the channel, the link and the controller. What happens is pushed on standard output by whoever
# sees it; bulk output goes to standard error, where nobody else writes.
#
# Portable sh (dash, bash, busybox ash, zsh as sh); no root. Needs mkdir, ls and date once, setsid
# where there is one; od, wc, tail, head, dd and rm for outputs only.
#
# Rules (docs/explanation/attempts.md):
# - NAME.d decides about the attempt NAME, and is made by exclusive create: by the process that
#   will be the command, as its last act before it, or by a withdrawal. Whoever fails to make it
#   does nothing. It stays until the run leaves the host.
# - A line that goes out is shorter than 4 KiB, so that it arrives whole whoever else writes.
# - Numbers of lines are stated before them; a request that is cut is not obeyed.
# - Nothing that may be a secret is in an argument or in the environment.
#
# Arguments: NONCE, two numbers (boot.py), the folder for runs ("" is ~/.drrun), bytes kept of each
# output.
#
# Request                                     Answer, each behind the nonce
#   hello RUN EPOCH known|new                 clock SECONDS
#                                             ready BOOT lost|kept PATH
#                                             unusable FOLDER WHY
#   check USER SHELL LINES, then the lines    (belongs to the next start)
#   start NAME EPOCH LINES INPUT USER SHELL   begun NAME PID START LEADS
#     then the lines; INPUT: a file of `put`  ended NAME CODE OUT ERR [full]
#     with lines and input, or -              begun NAME,INDEX PID START LEADS, for each check
#                                             answered NAME,INDEX CODE OUT ERR
#                                             exists NAME | refused NAME WHY | stale NAME EPOCH
#   ask NAME LINES INPUT USER SHELL           begun NAME PID START LEADS
#     then the lines                          answered NAME CODE OUT ERR
#   withdraw NAME EPOCH                       withdrawn NAME won|lost|failed
#   look NAME                                 state WORD NAME CODE OUT ERR PID START LEADS AGE
#   more NAME STREAM OFFSET LENGTH            on standard error, each line behind the nonce too:
#                                             the request, so many bytes, and `NONCE end`
#   put NAME LENGTH, then the bytes           put NAME ok|cut WHY
#   ping WORD                                 pong WORD
#   forget NAME…                              (none)
#   runs | list RUN | drop RUN [NAME]         `run RUN` or `state …` for each, then done
# OUT and ERR: `-` nothing, hexadecimal digits: all of it, `+N`: N bytes that are to be fetched,
# `?`: there is no such file any more.

mask=$(umask)
umask 077
set -f
nonce=$1 base=${4:-$HOME/.drrun} kept=$5
here=$PWD run='' checks='' count=0 warden=''
boot=-
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot </proc/sys/kernel/random/boot_id
[ "$boot" != - ] || boot=$(sysctl -n kern.boottime 2>/dev/null | tr -d ' ')
boot=${boot:--}
setsid=
command -v setsid >/dev/null 2>&1 && setsid=setsid
exec 9>&2 2>/dev/null

say() { printf '%s %s\n' "$nonce" "$*"; }

# Read $1 lines into `text`, or none where a file holds them. Half a request is none: whoever sent
# it is gone.
take() {
    text='' left=$1
    [ "${2:--}" = - ] || return 0
    while [ "$left" -gt 0 ]; do
        IFS= LC_ALL=C read -r line || exit 0
        text="$text$line
"
        left=$(( left - 1 ))
    done
}

# The process that becomes the command. It reads the whole script, decides, says that it begins,
# and executes the script itself; for another user or shell that one reads it.
begin='
name=$1 token=$2 epoch=$3 boot=$4 lines=$5 input=$6 user=$7 shell=$8 mask=$9
shift 9
nonce=$1 reader=$2 here=$3
text=
if [ "$user$shell" = -/bin/sh ]; then
    while [ "$lines" -gt 0 ]; do
        IFS= LC_ALL=C read -r line || exit 125
        text="$text$line
"
        lines=$(( lines - 1 ))
    done
fi
if [ "$name" ]; then
    start=- leads=1
    if { IFS= read -r line </proc/$$/stat; } 2>/dev/null; then
        set -f
        set -- ${line##*") "}
        start=${20}
        [ "$3 $4" = "$$ $$" ] || [ "$3" = "$$" ] || leads=0
    fi
    trap "" PIPE
    set -C
    { [ ! "$token" ] || true >"$name.d"; } 2>/dev/null || exit 125
    if [ "$token" ] &&
        ! { echo "begun $$ $start $boot $epoch $token $leads $PPID end" >>"$name.d"; } 2>/dev/null
    then
        echo "$nonce refused $name decided: No space left on device" >&8
        exit 125
    fi
    echo "$nonce begun $name $$ $start $leads" >&8
    trap - PIPE
    set +C +f
fi
exec 8>&-
umask "$mask"
if [ "$input" = - ]; then
    [ "$user$shell" != -/bin/sh ] || exec </dev/null
else
    rm -f "$input"
fi
CDPATH= cd -- "$here" || exit 125
case $user$shell in
    -/bin/sh)
        set --
        eval "unset name token epoch boot lines input user shell mask nonce reader here line start leads text
$text" ;;
    -*) exec "$shell" -c "$reader" "$shell" "begun $name" "$lines" "$input" ;;
    *) exec sudo -n -u "$user" -- "$shell" -c "$reader" "$shell" "begun $name" "$lines" "$input" ;;
esac
'
# Reads and executes the script as another user or in another shell. Its mark is the first line of
# the output: without it nothing was executed.
reader='
mark=$1 lines=$2 input=$3 text=
set --
while [ "$lines" -gt 0 ]; do
    IFS= LC_ALL=C read -r line || exit 125
    text="$text$line
"
    lines=$(( lines - 1 ))
done
[ "$input" != - ] || exec </dev/null
echo "$mark" || exit 125
eval "unset mark lines input text line
$text"
'

# Execute `text` with its streams in $1.o and $1.e, wait for it, and set `code`. With a token it is
# an attempt, and is decided about. Arguments: name, lines, input, user, shell.
execute() {
    # Where there is no terminal some shells refuse, and zsh would leave.
    [ "$setsid" ] || command set -m
    if [ "$3" = - ]; then
        process "$@" 8>&1 >>"$1.o" 2>>"$1.e" <<END &
$text
END
    else
        process "$@" 8>&1 <"$3" >>"$1.o" 2>>"$1.e" &
    fi
    wait "$!"
    code=$?
}

process() {
    trap - HUP PIPE
    exec $setsid /bin/sh -c "$begin" /bin/sh "$1" "$token" "$epoch" "$boot" "$2" "$3" "$4" "$5" \
        "$mask" "$nonce" "$reader" "$here"
}

# What is told of a file: all of it if it is small, else its size; in `told`.
tell() {
    told=-
    if [ ! -s "$1" ]; then
        [ -e "$1" ] || told=?
        return 0
    fi
    told=$(od -An -v -tx1 -N900 "$1")
    squeeze "$told"
    case ${#told} in
        0 | 1800) squeeze "$(wc -c <"$1")" && told=+$told ;;
    esac
}

# Without the blanks of od and wc.
squeeze() {
    # shellcheck disable=SC2086
    set -- $1
    told=
    for part; do told=$told$part; done
}

report() {
    tell "$2.o"
    out=$told
    tell "$2.e"
    say "$1" "$2" "$code" "$out" "$told" $3
}

# --- requests ------------------------------------------------------------------------------------

unusable() { printf '%s unusable %s\t%s\n' "$nonce" "$folder" "$1"; }

# The newest token that was seen; a folder that is new is nobody else's yet.
remember() {
    if [ "$fresh" = fresh ]; then
        echo "$1" >|epoch
    else
        echo "$1" >|"epoch,$nonce" && mv "epoch,$nonce" epoch
    fi
}

hello() {
    # Where %N is not known, it stays or is left out, and whole seconds are counted.
    say clock "$(date -u +%s.%N 2>/dev/null)"
    fresh=kept
    for folder in "$base" "$base/$1"; do
        mode=drwx------
        if [ ! -d "$folder" ]; then
            fresh=fresh
            why=$(mkdir -p "$base/$1" 2>&1) || { unusable "$why"; return; }
        elif [ "$fresh" = kept ]; then
            mode=$(ls -ld "$folder")
        fi
        # Only what is ours alone is believed later.
        case $mode in
            drwx------*) if [ -O "$folder" ] && [ ! -h "$folder" ]; then continue; fi ;;
        esac
        unusable "it must belong to this user alone, with mode 0700"
        return
    done
    # From now on by relative names: whatever becomes of the path, this is the folder.
    cd "$base/$1" || { unusable "it cannot be entered"; return; }
    # A folder that the journal knows of and that is gone was lost; that is true from then on.
    [ "$fresh $3" = "fresh known" ] && true >lost
    state=kept
    [ -e lost ] && state=lost
    run=$1 newest=0
    [ -r epoch ] && read -r newest <epoch
    if [ "$2" -gt "${newest:-0}" ]; then
        if ! remember "$2" 2>/dev/null; then
            explain "epoch,$nonce"
            unusable "$why"
            return
        fi
    fi
    say ready "$boot" "$state" "$PWD"
}

# A controller that was replaced starts nothing and withdraws nothing.
stale() {
    newest=0
    [ -r epoch ] && read -r newest <epoch
    [ "$1" -lt "${newest:-0}" ] || return 1
    say stale "$2" "$newest"
}

start() {
    take "$3" "$4"
    belongs=$checks checks=
    stale "$2" "$1" && return
    if [ -e "$1.d" ]; then
        say exists "$1"
        return
    fi
    count=$(( count + 1 ))
    # Those that have ended are reaped: some shells do so only when they are asked for their jobs.
    jobs >/dev/null
    attempt "$@" &
}

# Nothing is started where there is no room for what has to be noted and for a few words.
room() {
    { true >>"$1.o" && true >>"$1.e" && true >>"$1.$2"; } 2>/dev/null &&
        { printf %8192s '' >|room && true >|room; } 2>/dev/null && return
    refuse "$1"
    return 1
}

refuse() {
    explain "$1,w"
    say refused "$1" "$why"
}

# Why a file cannot be written, in `why`: programs name the reason, built-ins do not.
explain() {
    why=$(dd if=/dev/zero of="$1" bs=8192 count=1 2>&1 && rm -f "$1")
    # In one line, without what dd counts.
    # shellcheck disable=SC2086
    set -- $why
    why=${*%% [0-9]+[0-9]*}
}

attempt() {
    exec </dev/null 9>&-
    trap '' HUP PIPE
    token=$nonce.$count epoch=$2
    room "$1" x || exit
    execute "$1" "$3" "$4" "$5" "$6"
    whose=
    [ -r "$1.d" ] && read -r what pid start under epoch whose rest <"$1.d"
    if [ "$whose" != "$token" ]; then
        if [ -e "$1.d" ]; then say exists "$1"; else refuse "$1"; fi
        exit
    fi
    full=
    echo "$code end" >|"$1.x" || full=full
    name=$1 index=0 token=''
    report ended "$1" $full
    [ "$code" = 0 ] || exit
    while read -r user shell lines && [ "$lines" ]; do
        take "$lines"
        room "$name,$index" o || exit
        execute "$name,$index" "$lines" - "$user" "$shell"
        report answered "$name,$index"
        index=$(( index + 1 ))
    done <<END
$belongs
END
}

check() {
    take "$3"
    checks="$checks$1 $2 $3
$text"
}

ask() {
    take "$2" "$3"
    jobs >/dev/null
    (
        exec </dev/null 9>&-
        trap '' HUP PIPE
        token=
        room "$1" o || exit
        execute "$@"
        report answered "$1"
    ) &
}

withdraw() {
    stale "$2" "$1" && return
    set -C
    if { true >"$1.d"; } 2>/dev/null; then
        echo "withdrawn $2" >>"$1.d"
        say withdrawn "$1" won
    elif [ -e "$1.d" ]; then
        say withdrawn "$1" lost
    else
        say withdrawn "$1" failed
    fi
    set +C
}

# A process that is neither dead nor another one with the same number; $2: its start time.
alive() {
    if [ ! -r /proc/self/stat ]; then
        kill -0 "$1" 2>/dev/null
        return
    fi
    IFS= read -r line <"/proc/$1/stat" || return 1
    set -- "$2" ${line##*") "}
    case $2 in Z | X | x) return 1 ;; esac
    [ "$1" = - ] || [ "$1" = "${21}" ]
} 2>/dev/null

outcome() { [ -r "$1.x" ] && read -r code end <"$1.x" && [ "$end" = end ] && word=ended; }

look() {
    word=absent code=- pid=- start=- leads=- age=-
    if [ -e "$1.d" ]; then
        what='' parent='' whole=''
        [ -r "$1.d" ] && read -r what pid start under by token leads parent whole <"$1.d"
        case $what/$whole in
            begun/end) fate "$1" ;;
            withdrawn/*) word=withdrawn pid=- start=- leads=- ;;
            *) word=torn pid=- start=- leads=- ;;
        esac
    fi
    if [ "$word" = ended ]; then
        report "state $word" "$1"
        return
    fi
    out=- told=-
    [ -s "$1.o" ] && squeeze "$(wc -c <"$1.o")" && out=+$told told=-
    [ -s "$1.e" ] && squeeze "$(wc -c <"$1.e")" && told=+$told
    say state "$word" "$1" - "$out" "$told" "${pid:--}" "${start:--}" "${leads:--}" "$age"
}

# Of a command that has begun. Whoever waits for it writes the exit code before it goes, so it is
# looked for again after that one was seen to be gone.
fate() {
    outcome "$1" && return
    if [ "$under" != "$boot" ]; then
        word=rebooted
    elif alive "$pid" "$start"; then
        word=running
        # What takes longer than a moment is guarded.
        [ "$warden" ] && kill -0 "$warden" || guard
        if [ "$start" != - ] && [ -r /proc/uptime ]; then
            read -r uptime rest </proc/uptime
            age=$(( ${uptime%%.*} - start / 100 ))
        fi
    else
        word=gone
        alive "$parent" - && word=ending
        outcome "$1"
    fi
}

more() {
    printf '%s more %s\n' "$nonce" "$*" >&9
    if [ "$4" = 1048576 ] && [ $(( $3 % 1048576 )) = 0 ]; then
        dd if="$1.$2" bs=1048576 skip=$(( $3 / 1048576 )) count=1 >&9
    else
        tail -c "+$(( $3 + 1 ))" "$1.$2" | head -c "$4" >&9
    fi
    printf '%s end\n' "$nonce" >&9
}

# Whoever sends it waits for the answer before sending more, so nothing behind it can be taken.
put() {
    # Under a name of our own, and renamed once it is whole: another launcher may do the same, and a
    # process of an earlier request may still read the one before.
    new=$1,$nonce
    why=$(head -c "$2" 2>&1 >|"$new")
    if [ -f "$new" ] && squeeze "$(wc -c <"$new")" && [ "$told" = "$2" ] && mv "$new" "$1.i"; then
        say put "$1" ok
    else
        # How much of it was taken is not known; the next launcher begins anew.
        say put "$1" cut "$why"
        exit 0
    fi
}

# Outputs and inputs go; the decision stays.
forget() {
    gone=
    set +f
    for name; do
        for each in "$name".[oei] "$name",*; do
            [ -e "$each" ] && gone="$gone $each"
        done
    done
    set -f
    jobs >/dev/null
    # shellcheck disable=SC2086
    [ -z "$gone" ] || rm -f $gone </dev/null 9>&- &
}

# Outlives this launcher as commands do, and keeps their outputs from filling the disk.
guard() {
    # shellcheck disable=SC2086
    $setsid /bin/sh -c "$guardian" drrun-guard "$kept" </dev/null >/dev/null 9>&- &
    warden=$!
}

guardian='
trap "" HUP
while sleep 10; do
    busy=
    for each in *.d; do
        [ -s "${each%.d}.x" ] && continue
        what= pid=
        [ -r "$each" ] && read -r what pid rest <"$each"
        [ "$what" = begun ] && { [ -d "/proc/$pid" ] || kill -0 "$pid"; } && busy=1
    done
    for each in $(find . -name "*.[oe]" -size "+${1}c"); do
        dd if=/dev/null of="$each" bs=1 seek="$1" count=0
    done
    [ "$busy" ] || exit
done
'

# For whoever tidies up: folders of runs, the attempts in one, all of one away.
runs() {
    set +f
    for each in "$base"/*/; do
        each=${each%/}
        [ -d "$each" ] && say run "${each##*/}"
    done
    set -f
    say done
}

list() {
    set +f
    if cd "$base/$1"; then
        for each in *.d; do
            # What was forgotten has no output any more.
            [ -e "${each%.d}.o" ] && look "${each%.d}"
        done
    fi
    set -f
    say done
}

drop() {
    if [ "$2" ]; then
        (cd "$base/$1" && rm -f "$2.o" "$2.e" "$2.i")
    elif [ "$1" ]; then
        cd "$here" || cd /
        rm -rf "${base:?}/$1" && rmdir "$base"
    fi
    say done
}

while read -r verb one two three four five six; do
    case $run/$verb in
        /hello | /ping | /runs | /list | /drop | /bye | ?*/*) ;;
        # Whoever asks before there is a folder would leave things elsewhere.
        *) exit 0 ;;
    esac
    case $verb in
        start) start "$one" "$two" "$three" "$four" "$five" "$six" ;;
        check) check "$one" "$two" "$three" ;;
        ask) ask "$one" "$two" "$three" "$four" "$five" ;;
        look) look "$one" ;;
        more) more "$one" "$two" "$three" "$four" ;;
        put) put "$one" "$two" ;;
        withdraw) withdraw "$one" "$two" ;;
        forget) forget $one $two $three $four $five $six ;;
        ping) say pong "$one" ;;
        hello) hello "$one" "$two" "$three" ;;
        runs) runs ;;
        list) list "$one" ;;
        drop) drop "$one" "$two" ;;
        bye) exit 0 ;;
        *) say what "$verb" ;;
    esac
done
