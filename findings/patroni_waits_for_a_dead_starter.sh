#!/bin/sh
# Patroni 4.1.5 starts PostgreSQL by way of a process of its own, which is to tell it the server's process id through a pipe.
# Where that process dies first, Patroni waits for ever: it holds the pipe's other end open itself, so that `recv` never sees
# its end. It goes on to say "bootstrap in progress" each second, says nothing of the death, and tries nothing again. It takes
# no more than a Python that this user cannot execute, as one below /root is for the user postgres.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet "patroni[psycopg3]==4.1.5"
cat >starter.py <<'CODE'
import multiprocessing.spawn
import threading
import time

from patroni.postgresql.postmaster import PostmasterProcess

# The starter is run by this program instead of Python, and dies at once.
multiprocessing.set_executable("/bin/false")
seen = []
begin = threading.Thread(target=lambda: seen.append(PostmasterProcess.start("postgres", "/nowhere", "c", [])), daemon=True)
begin.start()
time.sleep(1)
exits = [child.exitcode for child in multiprocessing.active_children()]
begin.join(20)
print("the starter has ended:", not multiprocessing.active_children(), exits)
print("Patroni still waits for it:", begin.is_alive())
CODE
venv/bin/python starter.py | tee seen
grep -q "has ended: True" seen
grep -q "still waits for it: True" seen
