"""`taptrade archive`: list archived weeks, archive what is due, read archives back, and bring a week back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.progress import MofNCompleteColumn, TimeElapsedColumn

from jobs.upkeep.archive import Archiver, archiving, tell_success
from jobs.upkeep.archive_store import open_store
from jobs.upkeep.restore import Recorded, WeekUnknown, recorded, restore, verify
from runtime.archive.files import attached
from runtime.archive.weeks import Week, week_named
from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.messaging.commands import Outcome, RecordArchive
from runtime.messaging.connection import connect
from runtime.postgresql import choice
from runtime.settings import Settings, load
from taptrade import embedded_redis
from taptrade.arguments import typed
from taptrade.asking import ask_writer
from taptrade.bars import bar
from taptrade.books import open_books
from taptrade.output import add_output
from taptrade.tables import show_table

WAIT_S = 60.0


def main(argv: Sequence[str]) -> int:
    """List the weeks that lie in archives, archive those that are due, read archives back whole, or bring a week back.

    The exit code is 1 if an archive is not what was recorded, 2 if something cannot be done.
    """
    parser = argparse.ArgumentParser(prog="taptrade archive", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|run|verify|restore")
    add_output(actions.add_parser("list", help="list archived weeks, and those that are due"))
    add_output(actions.add_parser("run", help="archive the weeks that are due, as the job does each hour"))
    verifying = actions.add_parser("verify", help="read archives back and audit them, against the ledger's hash chain")
    verifying.add_argument("weeks", nargs="*", metavar="WEEK", type=typed(week_named), help="default: all")
    add_output(verifying)
    restoring = actions.add_parser("restore", help="bring a week back, to be read beside the live database")
    restoring.add_argument("week", metavar="WEEK", type=typed(week_named), help="such as 2026_w53")
    add_output(restoring)
    given = parser.parse_args(argv)
    action: Callable[[Settings, argparse.Namespace], int] = {
        "list": _list,
        "run": _run,
        "verify": _verify,
        "restore": _restore,
    }[given.action]
    settings = load()
    if given.action == "run":
        choice.refuse_on_postgresql(settings, "archiving weeks", "the whole history stays in the database")
    return action(settings, given)


def _list(settings: Settings, given: argparse.Namespace) -> int:
    here = attached(settings.data)
    with open_books(settings) as database:
        weeks = recorded(database)
    rows = [_listed(one, week, one_is_here=week in here) for week, one in weeks.items()]
    due = [] if settings.database_url else [week.name for week in _archiver(settings, lambda *_: None).due()]
    if given.json:
        print(msgspec.json.encode({"archived": rows, "due": due}).decode())
        return 0
    columns = ("week", "bets", "entries", "stored_bytes", "stored_as", "here")
    show_table(columns, [[row[name] for name in columns] for row in rows], right=columns[1:4])
    for name in due:
        print(f"{name} is due")
    return 0


def _listed(one: Recorded, week: Week, *, one_is_here: bool) -> dict[str, Any]:
    content = one.manifest.content
    return {
        "week": week.name,
        "bets": content.cut_bets,
        "entries": content.cut_entries,
        "stored_bytes": one.manifest.stored_bytes,
        "stored_as": one.stored_as,
        "here": "yes" if one_is_here else "no",
    }


def _run(settings: Settings, given: argparse.Namespace) -> int:
    with open_books(settings), archiving(settings), _progress() as progress:
        archiver = _archiver(settings, progress)
        made = archiver.run()
        left = archiver.due()
    if not left:
        client = connect(embedded_redis.redis_url(settings))
        tell_success(client, SystemClock(), made)
        client.close()
    fields = {"archived": [one.content.week for one in made], "due": [week.name for week in left]}
    said = [f"archived {one.content.week}: {one.stored_bytes} bytes" for one in made]
    said += [f"{week.name} waits until the rows of the week before it are gone; run this again" for week in left]
    print(msgspec.json.encode(fields).decode() if given.json else "\n".join(said) or "nothing is due")
    return 0


def _archiver(settings: Settings, progress: Callable[[str, int, int], None]) -> Archiver:
    def ask(command: RecordArchive) -> Outcome | None:
        return ask_writer(settings, command, WAIT_S)

    return Archiver(settings, open_store(settings), ask, SystemClock(), progress)


def _verify(settings: Settings, given: argparse.Namespace) -> int:
    store = open_store(settings)
    found: list[dict[str, Any]] = []
    with open_books(settings) as database, _progress() as progress:
        weeks = recorded(database)
        for week in given.weeks or weeks:
            wrong = ""
            try:
                one = _of(weeks, week)
                verify(settings, store, database, one)
            except WeekUnknown:
                raise
            except TaptradeError as ex:
                wrong = str(ex)
            found.append({"week": week.name, "ok": not wrong, "detail": wrong or "holds, down to the hash chain"})
            progress("weeks", len(found), len(given.weeks or weeks))
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        print("\n".join(f"{one['week']}: {one['detail']}" for one in found) or "no week is archived")
    return 0 if all(one["ok"] for one in found) else 1


def _restore(settings: Settings, given: argparse.Namespace) -> int:
    with open_books(settings) as database, _progress() as progress:
        progress("restore", 0, 1)
        path = restore(settings, open_store(settings), database, _of(recorded(database), given.week))
    fields = {"week": given.week.name, "file": str(path)}
    print(
        msgspec.json.encode(fields).decode()
        if given.json
        else f"{given.week.name} is here again, and is read beside the live database: {path}"
    )
    return 0


def _of(weeks: dict[Week, Recorded], week: Week) -> Recorded:
    if week not in weeks:
        raise WeekUnknown(f"{week.name} is in no archive; `taptrade archive list` shows those that are")
    return weeks[week]


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show on a terminal how far it has come."""
    with bar(MofNCompleteColumn(), TimeElapsedColumn()) as shown:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=None)
            shown.update(tasks[what], completed=done, total=total or None)

        yield tell
