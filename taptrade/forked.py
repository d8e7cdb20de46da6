"""Our processes as forks of their supervisor: the code that all of them run is loaded once and lies in memory once.

What dies is there again without loading anything.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from runtime.process_lock import FORK
from taptrade import serve
from taptrade.processes import RELOAD, module

OURS = module("taptrade", "serve")[1:]
OWN_NAME = Path("/proc/self/comm")


def load() -> None:
    """Load what the forks run, before there is any. Nothing of it opens anything or begins a thread."""
    for name in sorted(serve.MODULES):
        with suppress(Exception):  # the process that runs it tries again, ends, and is named with its last words
            importlib.import_module(name)
    gc.collect()
    # Who looks through them for garbage writes to every page of them, and each process would get its own.
    gc.freeze()


def can_run(command: Sequence[str]) -> bool:
    """Tell whether a command line is that of a process of ours; a developer's loads its own, changed sources."""
    return list(command[1 : 1 + len(OURS)]) == OURS and RELOAD not in command


def run(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Be the process of a command line, in a fork made for it; end with it.

    The stack above belongs to the supervisor. It is never gone back to: what lies there would close files by numbers
    that are ours now.
    """
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    sys.orig_argv[:] = command
    name, *options = command[1 + len(OURS) :]
    sys.argv[:] = [command[0], "serve", name, *options]
    OWN_NAME.write_text(FORK + name, encoding="ascii")
    os._exit(_status(name, options))


def _status(name: str, options: Sequence[str]) -> int:
    """Run a process as the interpreter would; its exit code."""
    try:
        return serve.main([name, *options])
    except SystemExit as ex:
        if isinstance(ex.code, str):
            print(ex.code, file=sys.stderr)
        return ex.code if isinstance(ex.code, int) else int(ex.code is not None)
    except BaseException:  # noqa: BLE001  whatever it is, the process ends with it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
