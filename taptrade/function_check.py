"""Wire every function as the API does, and find every periodic job: what is broken is named before anything starts.

`taptrade up` asks this of a process of its own. The functions and jobs bring libraries that the supervisor has no use
for, and what they do while they are imported must not happen in it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from runtime.errors import TaptradeError
from runtime.function_versions import OWN, take_up
from runtime.settings import Settings, SettingsError, load
from taptrade.processes import module

if TYPE_CHECKING:
    from runtime.function_files import DiscoveryError
    from runtime.function_settings import FunctionSettings
    from runtime.web.declaration import Function

CHECKED_WITHIN_S = 30


class Found(NamedTuple):
    """All functions, each of them sound, and what they are given."""

    endpoints: tuple[Function, ...]
    given: dict[str, FunctionSettings]
    faults: dict[str, DiscoveryError]
    """What is wrong with the settings of a function, by its name; whatever starts it."""
    unclaimed: list[str]
    """A sentence about each table of settings that no function takes."""


def require_functions(version: int = OWN) -> None:
    """Raise SettingsError that names the broken file and why, unless every function can be wired and every job run.

    What looks like a mistake and stops nobody is told on stderr.
    """
    try:
        done = subprocess.run(
            module("taptrade.function_check", str(version)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHECKED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(f"functions and jobs cannot be imported within {CHECKED_WITHIN_S} s") from None
    if done.returncode:
        lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
        raise SettingsError(
            lines[-1] if lines else f"the check of functions and jobs ended with status {done.returncode}"
        )
    for line in done.stdout.splitlines():
        print(f"taptrade: {line}", file=sys.stderr, flush=True)


def find(settings: Settings) -> Found:
    """Read every function, whatever starts it; raise DiscoveryError that names a broken file."""
    from runtime.function_files import functions_folder
    from runtime.function_settings import Declares, as_far_as_given, file_of, unclaimed
    from runtime.triggers.discovery import triggers_in
    from runtime.web.discovery import discover

    folder, file = functions_folder(), file_of(settings)
    endpoints = discover(folder)
    every: list[Declares] = [*endpoints, *triggers_in(folder)]
    return Found(endpoints, *as_far_as_given(every, file), unclaimed(every, file))


def build(settings: Settings) -> list[str]:
    """Build the app over parts that are never asked for anything; return what looks like a mistake.

    Raise DiscoveryError that names a broken file.
    """
    from runtime.metrics.table import Metrics
    from runtime.rate_limits import policies
    from runtime.web.app import create_app
    from runtime.wiring import GUARDS

    never = cast("Any", None)
    found = find(settings)
    for fault in found.faults.values():
        raise fault
    create_app(
        found.endpoints,
        parts=never,
        authenticate=never,
        limiter=never,
        quotas=policies(settings),
        guards=dict.fromkeys(GUARDS, never),
        clock=never,
        metrics=Metrics("none"),
    )
    return found.unclaimed


def main(version: int) -> int:
    """Print the fault on the last line of stdout; the status is 1 if there is one. Else print what to warn of."""
    from jobs.rq.retries import message_queues
    from jobs.rq.schedule import schedules

    try:
        settings = load()
        take_up(settings.data, version)
        # What a file prints while it is imported is not our answer.
        with contextlib.redirect_stdout(sys.stderr):
            warnings = build(settings)
            schedules()
            message_queues()
    except TaptradeError as ex:
        print(" ".join(str(ex).split()))
        return 1
    except Exception as ex:  # noqa: BLE001  whatever breaks is told
        traceback.print_exception(ex)
        print(" ".join(f"{_where(ex)}: {type(ex).__name__}: {ex}".split()))
        return 1
    for warning in warnings:
        print(" ".join(warning.split()))
    return 0


def _where(ex: Exception) -> str:
    """Say in which line of which file it broke: of what was imported last, since that led here."""
    if isinstance(ex, SyntaxError) and ex.filename:
        return f"{ex.filename}, line {ex.lineno}"
    frames = traceback.extract_tb(ex.__traceback__)
    modules = [frame for frame in frames if frame.name == "<module>"]
    last = (modules or frames)[-1]
    return f"{last.filename}, line {last.lineno}"


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
