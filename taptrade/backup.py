"""`taptrade backup`: a checked copy of the live database now, as the hourly job makes one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from jobs.upkeep.backup import KEEP, back_up
from runtime.clock import SystemClock, rfc3339
from runtime.postgresql import choice
from runtime.settings import load
from runtime.storage.backups import FOLDER
from taptrade.books import open_books
from taptrade.output import add_output


def main(argv: Sequence[str]) -> int:
    """Copy the live database into the data folder's `backups`, check the copy, and keep the newest ones.

    The exit code is 2 if that cannot be done.
    """
    parser = argparse.ArgumentParser(prog="taptrade backup", description=main.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    settings = load()
    choice.refuse_on_postgresql(settings, "a copy by this command", "use pg_basebackup with an archive of its log")
    folder = settings.data / FOLDER
    with open_books(settings):
        made = back_up(settings, SystemClock())
    if given.json:
        print(msgspec.json.encode({**msgspec.to_builtins(made), "folder": str(folder)}).decode())
        return 0
    print(f"{folder / made.file}: commit {made.commit} at {rfc3339(made.made_ms)}, {made.bytes} bytes, checked")
    print(f"the newest {KEEP} are kept; they lie on the disk of the data: copy them to another machine")
    return 0
