/**
 * The shell script that runs one job, for any POSIX shell (dash, BusyBox, bash). It leads a session of its own and needs
 * nothing of us: the job's folder is all that it reads, and all that others need to know of the job.
 *
 * | file | |
 * |---|---|
 * | `meta.json`, `supervise`, `launch`, `input` | made by whoever starts the job; `launch` and `input` go as soon as they are read |
 * | `begun` | not empty once the command itself runs, inside of its limits and sandbox |
 * | `stdout`, `stderr` | output, up to the limit; what came last of more is in `stdout.tail` when the job has ended |
 * | `stdin` | FIFO to the command, there as long as its input is open |
 * | `control` | FIFO that takes one word or two a line: `signal NAME`, `close`, `cancel`, `abandon` |
 * | `alive` | FIFO that the supervisor alone holds: whoever can open it for writing without waiting knows that it lives |
 * | `exit` | how it ended; made last, in one step |
 *
 * Arguments: the folder, the time limit in seconds, the output limit in blocks of 512 bytes, the mark that the command's
 * processes carry in their environment, what is spared by signals (`leader` in a sandbox, `terminal` for whatever
 * belongs to none, `-`), `open` or `shut` input, `attached` where the job ends when standard input does before it said
 * `detach`, `detached` elsewhere; then the folders of its control groups, if it has any, first the one by
 * which its processes are found.
 *
 * The command is run in the foreground: whatever a shell without job control runs in the background never gets SIGINT.
 * Its control group cannot be left by it; without one, its processes are found by their process group and their mark.
 * Descriptor 8 is closed inside of what runs in the background: where that is a function, shells keep what was open.
 */
export const SUPERVISOR = `
folder=$1 seconds=$2 blocks=$3 mark=$4 spared=$5 stdin=$6 life=$7
shift 7
group=$1 leader=
cd "$folder" || exit 1
umask 077
trap : HUP INT QUIT TERM
exec 9<&0 </dev/null
rest() { resting=1; sleep "$1" & wait $!; resting=; }
wake() { [ "$resting" ] && [ "$!" != "$first" ] && kill "$!" && wait "$!"; exit; }

pump() {
  exec 8>&- 9<&-
  (ulimit -c 0; ulimit -f "$blocks"; exec cat) && exit
  { echo; echo '[there was more output than is kept: this is the end of it]'; exec tail -c 65536; } >"$1.tail"
}

inside() {
  while read -r pid; do echo "$pid"; done <"$1/cgroup.procs"
  for below in "$1"/*/; do [ -f "$below/cgroup.procs" ] && inside "\${below%/}"; done
}
kin() {
  for each in /proc/[0-9]*; do
    read -r stat <"$each/stat" || continue
    set -- \${stat##*") "}
    [ "$3" = "$leader" ] && [ "$1" != Z ] && echo "\${each#/proc/}"
  done
  for each in $(grep -lsF "$mark" /proc/[0-9]*/environ); do
    each=\${each#/proc/}
    echo "\${each%/environ}"
  done
}
members() { if [ "$group" ]; then inside "$group"; else kin | sort -u; fi; }
has_terminal() {
  read -r stat <"/proc/$1/stat" || return 1
  set -- \${stat##*") "}
  [ "\${5:-0}" != 0 ]
}

send() {
  [ -s leader ] && read -r leader <leader
  all=$(members) chosen=
  for pid in $all; do
    case $spared in
      leader) [ "$pid" = "$leader" ] && continue ;;
      terminal) has_terminal "$pid" || continue ;;
    esac
    chosen="$chosen $pid"
  done
  for pid in \${chosen:-$all}; do kill -s "$1" "$pid"; done
}
freeze() {
  state=$1 number=$2
  shift 2
  for each; do
    [ -f "$each/freezer.state" ] && echo "$state" >"$each/freezer.state"
    [ -f "$each/cgroup.freeze" ] && echo "$number" >"$each/cgroup.freeze"
  done
}
end_all() {
  round=0
  while [ "$round" -lt 200 ]; do
    [ -s leader ] && read -r leader <leader
    [ "$group" ] || { [ "$leader" ] && kill -s KILL -- "-$leader"; }
    all=$(members)
    [ "$all" ] || return 0
    if [ "$group" ] && [ -f "$group/cgroup.kill" ]; then
      echo 1 >"$group/cgroup.kill"
    else
      for each; do [ "$round" -gt 1 ] && [ -f "$each/pids.max" ] && echo 0 >"$each/pids.max"; done
      freeze FROZEN 1 "$@"
      for pid in $(members); do kill -s KILL "$pid"; done
      freeze THAWED 0 "$@"
    fi
    round=$((round + 1))
    sleep 0.02
  done
}
give_up() {
  : >"$1"
  echo TERM >>sent
  send TERM
  shift
  rest 1
  echo KILL >>sent
  end_all "$@"
}

control() {
  exec 8>&- 9<&-
  resting= first=$!
  trap wake TERM
  [ -p stdin ] && exec 6<>stdin 7>stdin 6<&-
  while read -r word argument; do
    case $word in
      signal)
        echo "$argument" >>sent
        if [ "$argument" = KILL ]; then end_all "$@"; else send "$argument"; fi ;;
      close) exec 7>&-; rm -f stdin ;;
      timeout) give_up overtime "$@" ;;
      cancel) give_up cancelled "$@" ;;
      orphaned) : >cancelled; echo KILL >>sent; end_all "$@" ;;
      ended) rest 2; kill "$pump_out" "$pump_err" ;;
      abandon) end_all "$@"; kill "$timer"; exit ;;
    esac
    kill -0 $$ || exit
  done
}

mkfifo alive control out err || exit 1
exec 8<>alive
case $stdin in
  open) mkfifo stdin; input=stdin ;;
  *) if [ -f input ]; then input=input; else input=/dev/null; fi ;;
esac
pump stdout <out >stdout & pump_out=$!
pump stderr <err >stderr & pump_err=$!
(
  exec 8>&- 9<&-
  resting= first=$!
  trap wake TERM
  rest "$seconds"; echo timeout 1<>control
) & timer=$!
control "$@" <>control & controller=$!
watcher=
if [ "$life" = attached ]; then
  (
    exec 8>&-
    read -r word
    # Nobody may read it yet, and the command may begin only after it was read.
    [ "$word" = detach ] || while :; do echo orphaned 1<>control; sleep 0.2; done
  ) <&9 & watcher=$!
fi
exec 9<&-

{ (exec setsid /bin/sh launch 8>&-) <"$input" >out 2>err; status=$?; } 2>said

[ -s leader ] && read -r leader <leader
if [ -f overtime ] || [ -f cancelled ]; then
  round=0
  while [ "$round" -lt 20 ] && [ "$(members)" ]; do round=$((round + 1)); sleep 0.05; done
fi
end_all "$@"
echo ended 1<>control
wait "$pump_out" "$pump_err"
kill "$timer" "$controller" $watcher
for each; do
  for file in cpu.stat cpuacct.usage memory.peak memory.max_usage_in_bytes memory.events memory.oom_control pids.events; do
    [ -f "$each/$file" ] && while read -r line; do echo "$file $line"; done <"$each/$file"
  done
done >usage
{
  echo "status $status"
  for file in overtime cancelled; do [ -f "$file" ] && echo "$file"; done
  [ -s said ] && echo killed
  [ -f sent ] && while read -r name; do echo "sent $name"; done <sent
  while read -r line; do echo "$line"; done <usage
} >exit.new
mv exit.new exit
wait "$timer" "$controller" $watcher
rm -f launch input out err stdin control alive leader overtime cancelled said sent usage supervise
round=0
while [ "$round" -lt 100 ]; do
  left=
  for each; do
    [ -d "$each" ] && rmdir "$each"/*/ "$each"
    [ -d "$each" ] && left=1
  done
  [ "$left" ] || break
  round=$((round + 1))
  if [ "$round" -lt 40 ]; then sleep 0.05; else sleep 1; fi
done
`;
