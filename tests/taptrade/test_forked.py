"""What a fork of the supervisor is: the process of its command line, and nothing of the supervisor's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taptrade import forked
from taptrade.processes import command

LOADED = """
import os, sys, threading
before = os.listdir("/proc/self/fd")
from taptrade import forked
forked.load()
assert os.listdir("/proc/self/fd") == before
assert threading.active_count() == 1
print(*sorted(name for name in sys.modules if name in ("gevent", "jobs.writer.main") or name.startswith("functions")))
"""
RUN = """
import os, signal, sys
from taptrade import forked, serve

def main(argv):
    print(argv, sys.argv[1:], sys.orig_argv[1:6], dict(os.environ), signal.getsignal(signal.SIGTERM).name, flush=True)
    print(open("/proc/self/comm").read().strip(), end="")
    {end}

serve.main = main
signal.signal(signal.SIGTERM, lambda *_: None)
try:
    forked.run({command}, {{"TZ": "UTC"}})
finally:
    print("back in the supervisor")
"""


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)


def test_what_is_loaded_before_opens_nothing_and_holds_no_function() -> None:
    done = python(LOADED)
    assert (done.stdout, done.stderr) == ("jobs.writer.main\n", "")


def test_only_our_own_processes_are_forks_and_none_of_a_developers() -> None:
    assert forked.can_run(command("writer", "--under", "1"))
    assert not forked.can_run(command("writer", "--reload"))
    assert not forked.can_run([sys.executable, "-m", "taptrade", "serve", "writer"])
    assert not forked.can_run(["/bin/true"])


@pytest.mark.parametrize(
    ("end", "status", "last"),
    [
        ("return 3", 3, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(4)", 4, ""),
        ("raise SystemExit('a sentence')", 1, "a sentence"),
        ("raise ValueError('a fault')", 1, "ValueError: a fault"),
    ],
)
def test_a_fork_is_the_process_of_its_command_and_ends_with_it(end: str, status: int, last: str) -> None:
    done = python(RUN.format(end=end, command=command("feed", "--under", "7")))
    argv = ["feed", "--under", "7"]
    orig = ["-I", "-u", "-m", "taptrade", "serve"]
    assert done.stdout == f"{argv} {['serve', *argv]} {orig} {{'TZ': 'UTC'}} SIG_DFL\ntap-feed"
    assert (done.returncode, "".join(done.stderr.splitlines()[-1:])) == (status, last)


def test_a_module_that_cannot_be_loaded_is_left_to_the_process_that_runs_it(tmp_path: Path) -> None:
    (tmp_path / "rq_dashboard.py").write_text("import a_library_that_nobody_has\n")
    done = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + LOADED)
    assert (done.stdout, done.stderr) == ("jobs.writer.main\n", "")
