"""How the supervisor begins: programs of others first, then what the forks share, then the forks, and no waiting."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from taptrade.processes import command

PROGRAM = """
import time
from pathlib import Path

import psutil
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.supervisord import Supervisor

from taptrade import forked, supervise


def tell(when, *expected):
    until_s = time.monotonic() + 10
    while (names := sorted(each.name() for each in psutil.Process().children())) != [*expected]:
        if time.monotonic() > until_s:
            break
        time.sleep(0.01)
    print(when, *names)


def load():
    tell("loading beside", "sleep")


def be(command, _):
    forked.OWN_NAME.write_text("fork")
    time.sleep(30)


def listen(_):
    # The real loop begins by listening to its sockets, for a second.
    tell("listening beside", "fork", "sleep")
    for process in psutil.Process().children():
        process.kill()
        process.wait()
    raise asyncore.ExitNow


forked.load, forked.run, Supervisor.runforever = load, be, listen
supervise.supervise(Path("supervisord.conf"), {})
"""
CONFIG = """
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=supervisord.pid

[program:ours]
command={ours}
priority=10

[program:other]
command=/bin/sleep 30
priority=40
"""


@pytest.mark.integration
def test_the_others_begin_before_the_load_and_the_forks_before_the_first_look(tmp_path: Path) -> None:
    ours = shlex.join(command("writer")).replace("%", "%%")
    (tmp_path / "supervisord.conf").write_text(CONFIG.format(ours=ours))
    run = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    told = [line for line in done.stdout.splitlines() if " beside " in line]
    assert told == ["loading beside sleep", "listening beside fork sleep"], done.stderr
