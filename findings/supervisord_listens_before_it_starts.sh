#!/bin/sh
# supervisor 4.3.0: supervisord starts no program before it has listened to its own sockets for a second. Its loop polls
# first, for as long as a second if nobody asks for anything, and looks only then at which programs are to be started; so
# each start takes that second, whatever its programs need. Where the groups' `transition()` is called once before
# `runforever()`, the programs begin at once.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet supervisor==4.3.0 setuptools==80.9.0

cat >supervisord.conf <<'CONFIG'
[supervisord]
nodaemon=true
logfile=log
pidfile=pid

[program:told]
command=/bin/sh -c "date +%%s.%%N >began; exec sleep 60"
CONFIG
cat >run.py <<'CODE'
import os
import signal
import sys
import threading
import time

from supervisor import supervisord
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions


class Eager(supervisord.Supervisor):
    def runforever(self):
        for group in sorted(self.process_groups.values()):
            group.transition()
        super().runforever()


options = ServerOptions()
options.realize(["-n", "-s", "-c", "supervisord.conf"], doc=supervisord.__doc__)
options.first, options.test = True, False
threading.Timer(4, os.kill, (os.getpid(), signal.SIGTERM)).start()
kind = {"plain": supervisord.Supervisor, "eager": Eager}[sys.argv[1]]
asked = time.time()
try:
    kind(options).main()
except ExitNow:
    pass
waited = float(open("began").read()) - asked
print(f"{sys.argv[1]}: the program begins", "after a second" if 0.9 < waited < 1.9 else "at once" if waited < 0.5 else waited)
CODE
for kind in plain eager; do
    venv/bin/python -W ignore run.py "$kind"
done | tee seen
cat >expected <<'TEXT'
plain: the program begins after a second
eager: the program begins at once
TEXT
diff expected seen
