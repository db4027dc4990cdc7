#!/bin/sh
# Runs inside of the container, as root; what it tells is read by the test.
tell() { printf '%s\t%s\n' "$1" "$(tr '\n' ' ')"; }
post() { curl -s -m 30 -X POST -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' "$@" http://127.0.0.1:8001/mcp; }
execute() {
  curl -s -m 30 --unix-socket /run/mcp-python/host-agent.sock http://agent/execute -H "mcp-host-agent-user: $1" \
    -H "idempotency-key: $(cat /proc/sys/kernel/random/uuid)" -H "mcp-host-agent-time: $(date +%s%3N)" \
    -d "{\"command\":{\"kind\":\"script\",\"script\":\"$2\"}}"
}
state() { systemctl show --value -p ActiveState,StatusText,NRestarts "$1" | grep -v '^$' | sort; }

post -D /run/head -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"probe","version":"1"}}}' | tell initialize
session=$(sed -n 's/^mcp-session-id: //Ip' /run/head | tr -d '\r')
call='{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"execute_command","arguments":{"command":"id -un; touch written; ls; ls /proc | grep -c ^[0-9]"}}}'
post -H "mcp-session-id: $session" -d "$call" | grep -o '{"jsonrpc.*' | tell command
execute games 'id -un; pwd; touch written; ls' | tell games
execute nobody 'id -un' | tell nobody
execute root 'id -un' | tell root
curl -s --unix-socket /run/mcp-python/host-agent.sock http://agent/enforcement | tell enforcement
stat -c '%a %U' /run/mcp-python/host-agent.sock | tell socket
systemctl reload mcp-python-host-agent.service && echo ok | tell reload
systemctl restart mcp-python.service && echo ok | tell restart
# The session goes on.
post -H "mcp-session-id: $session" -d '{"jsonrpc":"2.0","id":3,"method":"ping"}' | tell ping
state mcp-python.service | tell serve
state mcp-python-host-agent.service | tell host-agent
