#!/bin/sh
# redis-py 8.1 looks at each pooled connection before each command: is there something left to read, or has the server hung
# up? With hiredis installed it asks select.poll() with 0 ms. Under gevent's monkey patching a poll of 0 ms is no look but a
# wait: the caller goes back to the event loop, and has its connection only after that came round. On a loop that has much
# to do each command waits for all of it once more, before it is sent. Without hiredis, whose parser is the faster one, the
# look is a read that does not block, which gevent does not make wait.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet redis==8.1.0 gevent==26.9.0

cat >rounds.py <<'CODE'
import gevent.monkey

gevent.monkey.patch_all()

import gevent
import redis
from gevent.server import StreamServer


def answer(sock, _address):
    while sock.recv(4096):
        sock.sendall(b"+OK\r\n")


server = StreamServer(("127.0.0.1", 0), answer)
server.start()
client = redis.Redis(port=server.server_port, protocol=2, driver_info=None)
pool = client.connection_pool
pool.release(pool.get_connection())
rounds = []
watcher = gevent.get_hub().loop.check()
watcher.start(lambda: rounds.append(1))
for _ in range(100):
    pool.release(pool.get_connection())
print("100 times a connection was taken from the pool; the event loop came round", len(rounds), "times")
CODE
cat >expected <<'TEXT'
without hiredis:
100 times a connection was taken from the pool; the event loop came round 0 times
with hiredis:
100 times a connection was taken from the pool; the event loop came round 100 times
TEXT
{
    echo "without hiredis:" && venv/bin/python -W ignore rounds.py
    venv/bin/pip install --quiet hiredis==3.5.0
    echo "with hiredis:" && venv/bin/python -W ignore rounds.py
} | tee seen
diff expected seen
