# Ends every process of one session, and says whether they are gone. In front of this text stand
# pid (leader of session and group), start (its start time, against reused numbers) and grace.
members() {
  found=
  for stat in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$stat"; } 2>/dev/null || continue
    of=${stat#/proc/} of=${of%/stat}
    # Fields from the state on: the name before it may hold blanks.
    set -- ${line##*") "}
    if [ "$of" = "$pid" ] && [ "$start" ] && [ "${20}" != "$start" ]; then found=; return; fi
    case $1 in Z|X) continue;; esac
    if [ "$3" = "$pid" ] || [ "$4" = "$pid" ]; then found="$found $of"; fi
  done
}
members_without_proc() {
  found=
  if kill -0 "-$pid" 2>/dev/null; then found="-$pid"; fi
}
[ -e /proc/self/stat ] || members() { members_without_proc; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }
gone() {
  members
  [ -z "$found" ] && echo gone && exit 0
}
within() {
  # Tenths of a second, counted in naps; sends the signal $2 again to whoever was born since.
  left=$1
  while [ "$left" -gt 0 ]; do
    gone
    [ -z "$2" ] || kill "-$2" $found 2>/dev/null
    nap
    left=$((left - 1))
  done
}
gone
if [ "$grace" = ask ]; then echo alive; exit 0; fi
kill -TERM $found 2>/dev/null
kill -CONT $found 2>/dev/null
within "$((grace * 10))" ""
within 50 KILL
gone
echo "alive:$found"
