"""Small commands about the installation itself: config, routes, version, migrate."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.clock import SystemClock
from runtime.settings import Settings, load
from runtime.settings_table import TABLE, Setting
from runtime.version import build, python_version
from taptrade.output import add_output, print_json
from taptrade.own_files import close_to_others

if TYPE_CHECKING:
    from runtime.storage.database import Database
    from runtime.storage.migrate import Check
    from runtime.storage.remake import Progress

TOLD_EVERY_S = 2.0


def config(argv: Sequence[str]) -> int:
    """List every setting: value, default and meaning; secrets as stars. Then those of functions."""
    parser = argparse.ArgumentParser(prog="taptrade config", description=config.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    from taptrade.given import as_json, described

    if given.json:
        print_json([*(_as_json(row, os.environ) for row in TABLE), *as_json(load())])
        return 0
    for row in TABLE:
        print(describe(row, os.environ))
    for line in described(load()):
        print(line)
    return 0


def describe(row: Setting, environ: Mapping[str, str]) -> str:
    """Return the lines about one setting."""
    text = environ.get(row.variable, "").strip()
    origin = "set" if text else "default"
    default = f"; default {row.default}" if text and row.default else ""
    return f"{row.variable}={_shown(row, text)}\n    {row.help} ({origin}{default})"


def _shown(row: Setting, text: str) -> str:
    value = text or row.default
    return "***" if row.secret and value else value


def _as_json(row: Setting, environ: Mapping[str, str]) -> dict[str, Any]:
    text = environ.get(row.variable, "").strip()
    told = {"variable": row.variable, "value": _shown(row, text), "default": row.default, "set": bool(text)}
    return {**told, "secret": row.secret, "help": row.help}


def version(argv: Sequence[str]) -> int:
    """Print the version."""
    parser = argparse.ArgumentParser(prog="taptrade version", description=version.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    known = build()
    if given.json:
        told = {"version": known.version, "release": known.release, "build": known.number, "commit": known.commit}
        print_json({**told, "python": python_version()})
    else:
        print(f"taptrade {known.version}")
    return 0


def routes(argv: Sequence[str]) -> int:
    """List the HTTP endpoints with who may call them."""
    parser = argparse.ArgumentParser(prog="taptrade routes", description=routes.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    from runtime.function_files import functions_folder
    from runtime.function_versions import in_service, take_up
    from runtime.web.discovery import discover

    data = load().data
    take_up(data, in_service(data))
    found = sorted(discover(functions_folder()), key=lambda each: (each.route, each.method))
    if given.json:
        fields = ("method", "route", "auth", "summary", "name")
        print_json([{field: getattr(function, field) for field in fields} for function in found])
        return 0
    width = max(len(function.route) for function in found) + 2
    for function in found:
        print(f"{function.method:<7} {function.route:<{width}}{function.auth:<10}{function.summary}")
    return 0


def migrate(argv: Sequence[str]) -> int:
    """Bring the databases to the newest schema, or move the ledger from SQLite to PostgreSQL.

    The exit code is 2 where that cannot be done.
    """
    parser = argparse.ArgumentParser(prog="taptrade migrate", description=migrate.__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing: tell what would be applied")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="sqlite:///FILE",
        help="move the ledger of SQLite's file into the database of TAPTRADE_DATABASE_URL; again, it goes on",
    )
    add_output(parser)
    given = parser.parse_args(argv)
    settings = load()
    if given.source is not None:
        return move_ledger(settings, given.source, as_json=given.json)
    if given.check:
        word, names = "lacks", lacking_migrations(settings)
    else:
        close_to_others(settings.data)
        word, names = "applied", migrate_databases(settings)
    if given.json:
        print_json({word: names})
    else:
        print("\n".join(f"{word} {name}" for name in names) or "nothing to do")
    return 0


def move_ledger(settings: Settings, source: str, *, as_json: bool) -> int:
    """Move the ledger of SQLite's file into PostgreSQL, and let no start take the file for the ledger any more."""
    from runtime.postgresql.move import NotMoved, move

    scheme, _, path = source.partition(":///")
    if scheme != "sqlite" or not path:
        raise NotMoved(
            "--from takes sqlite:///FILE; an absolute path has four slashes, as in sqlite:////data/taptrade.db"
        )
    if not settings.database_url:
        raise NotMoved("TAPTRADE_DATABASE_URL says where to, and is not set")
    file = Path(path).absolute()
    commit = move(file, settings.database_url, SystemClock(), _telling(file.name), _same_audits)
    kept = file.with_name(f"{file.name}.moved")
    file.rename(kept)
    if as_json:
        print_json({"commit": commit, "kept": str(kept)})
    else:
        print(f"moved the ledger up to commit {commit}; both audits agree. {kept} is the file as it was")
    return 0


def _same_audits(old: Database, new: Database) -> None:
    from runtime.audit import audit
    from runtime.postgresql.move import NotMoved

    tell = _telling("audit")
    there = audit(old, lambda done, count: tell("commits there", done, count))
    here = audit(new, lambda done, count: tell("commits here", done, count))
    if there != here:
        raise NotMoved(f"the audits differ: there {there.summary}, here {here.summary}")
    print(here.summary, file=sys.stderr)


def lacking_migrations(settings: Settings) -> list[str]:
    """Return what the databases lack; raise WrongSchema where they are of a newer release than this one."""
    from runtime.postgresql import choice
    from runtime.storage import function_store, ticks_store
    from runtime.storage.migrate import missing_migrations

    live = choice.lacks(settings)
    ticks = missing_migrations(settings.ticks_database, ticks_store.MIGRATIONS)
    remembered = missing_migrations(settings.functions_database, function_store.MIGRATIONS)
    return [
        *live,
        *(f"ticks {one.name}" for one in ticks),
        *(f"functions {one.name}" for one in remembered),
    ]


def migrate_databases(settings: Settings) -> list[str]:
    """Apply what the databases lack; return the names of what was applied."""
    from runtime.archive.files import attached
    from runtime.postgresql import choice
    from runtime.storage import function_store, ticks_store
    from runtime.storage.database import LEDGER_MIGRATIONS
    from runtime.storage.migrate import migrate, missing_migrations
    from taptrade.told_events import keep_behind

    clock = SystemClock()
    # Neither is touched where the other is not ours.
    missing_migrations(settings.ticks_database, ticks_store.MIGRATIONS)
    missing_migrations(settings.functions_database, function_store.MIGRATIONS)
    live = choice.migrate(settings, clock, *_watched(settings.database))
    ticks = ticks_store.prepare(settings.ticks_database, clock)
    remembered = function_store.prepare(settings.functions_database, clock)
    for name in keep_behind(settings.functions_database, lambda: choice.open_reader(settings)):
        print(f"the ledger is older than what {name} was told: it goes on from the ledger's end", file=sys.stderr)
    weeks = [
        f"{week.name} {name}"
        for week, path in attached(settings.data).items()
        for name in migrate(path, LEDGER_MIGRATIONS, clock, *_watched(path))
    ]
    return [*live, *(f"ticks {name}" for name in ticks), *(f"functions {name}" for name in remembered), *weeks]


def _telling(name: str) -> Progress:
    """Return what tells on stderr how far something has come, now and then and at its end."""
    told_s = 0.0

    def tell(what: str, done: int, count: int) -> None:
        nonlocal told_s
        if done >= count or time.monotonic() - told_s >= TOLD_EVERY_S:
            told_s = time.monotonic()
            print(f"{name}: {what}, {done:,} of {count:,}", file=sys.stderr, flush=True)

    return tell


def _watched(path: Path) -> tuple[Progress, Check]:
    """Return what tells on stderr how far a database is that is made anew, and what audits it before it counts."""
    from runtime.audit import audit
    from runtime.storage.remake import NotRemade

    tell = _telling(path.name)

    def check(database: Database) -> None:
        report = audit(database, lambda done, count: tell("commits audited", done, count))
        if not report.ok:
            raise NotRemade(
                f"the audit of the new file found {len(report.findings)} faults, first: {report.findings[0]}"
            )

    return tell, check
