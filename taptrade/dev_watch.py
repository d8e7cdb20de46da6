"""What a developer sees in the terminal while the house runs: what changed, whether it can be used, and errors."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from runtime.function_files import functions_folder
from runtime.settings import SettingsError, load
from taptrade.function_check import require_functions
from taptrade.lifeline import die_with
from taptrade.logs import Tail, show_to_people, tells_of_trouble
from taptrade.processes import PROCESSES
from taptrade.reloading import LOOK_EVERY_S, Watch


def main(argv: Sequence[str]) -> int:
    """Watch until the launcher, our parent, ends."""
    die_with(int(argv[0]), signal.SIGTERM)
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    logs = load().data / "logs"
    tails = [Tail(logs / f"{process.name}.log", from_end=True) for process in PROCESSES]
    watch = Watch()
    while True:
        # The API tells of changed functions itself; who imports what else changed begins anew.
        changed = [file for file in watch.changed() if file.parent != functions_folder().resolve()]
        if changed:
            names = ", ".join(os.path.relpath(file) for file in changed)
            print(f"taptrade: {_trouble() or f'{names} changed: who uses it begins anew'}", flush=True)
        for tail in tails:
            for line in tail.new_lines():
                if tells_of_trouble(line):
                    show_to_people(line)
        time.sleep(LOOK_EVERY_S)


def _trouble() -> str:
    try:
        require_functions()
    except SettingsError as ex:
        return str(ex)
    return ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
