#!/bin/sh
# A project of 12 tasks followed from a shell: order, a failing task, and a server that is killed in the middle.
# Usage: project.sh FOLDER, an empty one. MCP_PYTHON is the program's command; prints what is wrong and exits 1, or "ok".
set -eu

mkdir "$1/home" "$1/work"
folder=$1/work
cd "$folder"
export HOME="$1/home" MCP_PYTHON_STATE_DIRECTORY="$1/state" MCP_PYTHON_SERVER_MCP_HTTP_PORT=0
server=

mcp() { ${MCP_PYTHON:-mcp-python} "$@"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
stop() { [ -z "$server" ] || kill -9 "$server" 2>/dev/null || :; }
trap stop EXIT
trap 'exit 1' HUP INT TERM

# exec, so that the process id is the server's own.
serve() {
  (exec ${MCP_PYTHON:-mcp-python} serve >/dev/null 2>>"$folder/../serve.err") &
  server=$!
}

# A member of the JSON on standard input, by its path of names.
json() { node -e '
  const value = process.argv[1].split(".").reduce((all, name) => all?.[name], JSON.parse(require("fs").readFileSync(0, "utf8")));
  console.log(typeof value === "object" ? JSON.stringify(value) : String(value ?? ""))' "$1"; }

# Each task notes that it began and that it ended.
run() { printf '{"command": "echo %s begins >> log; sleep %s; %s echo %s ends >> log", "working_directory": "%s"}' "$1" "$2" "${3-}" "$1" "$folder"; }
task() { printf '{"title": "%s", "run": %s, "depends_on": [%s]}' "$1" "$2" "$3"; }

components=$(cat <<END
[{"name": "core", "tasks": [
   $(task fetch "$(run fetch 0)" ''),
   $(task compile "$(run compile 0 'until [ -e compiled ]; do sleep 0.1; done;')" '"fetch"'),
   $(task unit "$(run unit 0)" '"compile"'),
   $(task lint "$(run lint 0)" '"fetch"')]},
 {"name": "web", "tasks": [
   $(task assets "$(run assets 0)" '"fetch"'),
   $(task bundle "$(run bundle 0)" '"assets", "compile"'),
   $(task browser "$(run browser 0 'test -e fixed || { echo no display >&2; exit 3; };')" '"bundle"')]},
 {"name": "release", "tasks": [
   $(task package "$(run package 0)" '"unit", "lint", "bundle"'),
   $(task sign "$(run sign 0)" '"package"'),
   $(task notes "$(run notes 0)" ''),
   $(task publish "$(run publish 0)" '"sign", "browser", "notes"'),
   $(task announce "$(run announce 0)" '"publish"')]}]
END
)

# Until a command says yes; up to a minute, for the machine may be busy.
soon() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || return 1
    sleep 0.2
  done
}
status() { mcp call get_project_status project_id="$project"; }
# How often a state comes in the tree.
count() { status | grep -c "^ *$1 " || :; }
are() { [ "$(count "$1")" -eq "$2" ]; }
wait_for() {
  soon are "$@" || fail "Never were $2 tasks $1:
$(status)
$(cat "$folder/../serve.err")"
}
begun() { grep -c "^$1 begins" log; }
before() { [ "$(grep -n "^$1 ends" log | cut -d: -f1)" -lt "$(grep -n "^$2 begins" log | cut -d: -f1)" ] || fail "$1 was not before $2: $(cat log)"; }

# A cycle is refused, and named.
cycle='[{"name": "a", "tasks": [{"title": "x", "depends_on": ["y"]}, {"title": "y", "depends_on": ["z"]}, {"title": "z", "depends_on": ["x"]}]}]'
! mcp call create_project name=Cycle description=none components:="$cycle" 2>refused || fail 'A cycle was taken.'
grep -q '"x" needs "y" needs "z" needs "x"' refused || fail "The cycle is not named: $(cat refused)"

# Stored at once; it says that nobody runs it yet.
created=$(mcp call create_project name=Release description='Version 2' components:="$components" --json)
project=$(printf %s "$created" | json project.id)
[ "$(printf %s "$created" | json project.progress.total)" = 12 ] || fail "Not 12 tasks: $created"
printf %s "$created" | json hint | grep -q 'No server runs tasks of this folder now' || fail "It does not say that no server runs: $created"
[ ! -e log ] || fail 'Something ran before there was a server.'

# The server is killed while "compile" runs; the command goes on, and the next server follows it to its end.
serve
for each in 'compile begins' 'lint ends' 'assets ends' 'notes ends'; do
  soon grep -qs "^$each" log || fail "Never was \"$each\": $(cat "$folder/../serve.err")"
done
kill -9 "$server"
wait "$server" 2>/dev/null || :
status | grep -q 'running *compile' || fail "Before anybody looks, it counts as running: $(status)"
touch compiled
serve
wait_for failed 1
wait_for completed 9

# What depends on the failed task is blocked with the reason, near and far, and all else is done.
tree=$(status)
printf '%s\n' "$tree" | grep -q 'failed *browser · The command ended with exit code 3. It said: no display' || fail "$tree"
printf '%s\n' "$tree" | grep -q 'blocked *publish · "browser" failed' || fail "$tree"
printf '%s\n' "$tree" | grep -q 'blocked *announce · "browser" failed' || fail "$tree"
printf '%s\n' "$tree" | head -1 | grep -q 'Release · 9 of 12 completed, 1 failed, 2 blocked' || fail "$tree"
! grep -q '^publish begins' log || fail "publish ran: $(cat log)"

# Repaired and tried again, the rest follows.
touch fixed
browser=$(printf '%s\n' "$tree" | sed -n 's/.*browser .* · //p')
mcp call distribute_task action=retry task_id="$browser" wait=true | grep -q '^completed' || fail 'It does not wait for what is tried again.'
wait_for completed 12

for each in fetch compile unit lint assets bundle package sign notes publish announce; do
  [ "$(begun $each)" = 1 ] || fail "$each began $(begun $each) times: $(cat log)"
done
[ "$(begun browser)" = 2 ] || fail "browser began $(begun browser) times."
before fetch compile; before compile unit; before compile bundle; before assets bundle; before lint package
before unit package; before package sign; before sign publish; before notes publish; before publish announce
[ "$(mcp call get_project_status task_id="$browser" --json | json task.attempts)" = 2 ] || fail 'Attempts are not told.'
echo ok
