"""Measure: `python -m loadtest soak --minutes 30`. The exit code is 1 for what is wrong, 2 if nothing was measured."""

from __future__ import annotations

import argparse
import inspect
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from loadtest import against, capacity, growth, guard, history, measurement, server, sizes, soak, spike, streams
from loadtest.processes import BenchFailed

MEASUREMENTS = {
    one.MEASUREMENT.name: one.MEASUREMENT
    for one in (against, guard, capacity, soak, spike, streams, growth, sizes, history, server)
}


def main(arguments: Sequence[str]) -> int:
    """Run one measurement."""
    parser = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for one in MEASUREMENTS.values():
        summary = one.measure.__doc__
        _add_options(commands.add_parser(one.name, help=summary, description=summary), one.measure)
    options = vars(parser.parse_args(arguments))
    name = options.pop("name")
    # Whatever tells us to stop, what we started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: told to stop"))
    try:
        return measurement.run(MEASUREMENTS[name], options)
    except BenchFailed as ex:
        sys.stderr.write(f"{name}: {ex}\n")
        return 2
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped")


def _add_options(command: argparse.ArgumentParser, measure: Callable[..., Any]) -> None:
    defaults = inspect.signature(measure).parameters
    for option, hint in get_type_hints(measure, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, about = get_args(hint)
            how: dict[str, Any] = {"type": kind}
            if kind is bool:
                how = {"action": "store_true"}
            elif kind not in {int, float, str}:
                how = {"type": int, "nargs": "+", "metavar": "N"}
            command.add_argument(f"--{option}", default=defaults[option].default, help=about, **how)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
