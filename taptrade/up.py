"""`taptrade up`: check, prepare, then become the supervisor of every process."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import NoReturn

import msgspec

from runtime.clock import SystemClock
from runtime.postgresql import choice
from runtime.process_lock import LockHeld
from runtime.settings import Settings, load
from taptrade import claims, embedded_redis, redis_server, sockets
from taptrade.function_sets import keep_own, sole_deployment
from taptrade.housekeeping import migrate_databases
from taptrade.output import say_event
from taptrade.own_files import close_to_others
from taptrade.processes import ENDING, RELOAD, module, supervisor_config, supervisor_variables, take_secrets
from taptrade.start_checks import require_startable


def main(argv: Sequence[str]) -> NoReturn:
    """Start every process, restart what dies, stop all on Ctrl-C. Settings come from the environment."""
    parser = argparse.ArgumentParser(prog="taptrade up", description=main.__doc__)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(RELOAD, action="store_true", help="take up changed sources at once, for developers")
    forms.add_argument("--json", action="store_true", help="print JSON lines, each an event: starting, ready, ...")
    given = parser.parse_args(argv)
    settings = load()
    secrets = take_secrets(os.environ)
    require_startable(settings, own_functions=given.reload)
    claims.await_all(settings)
    embedded = not settings.redis_url
    server = redis_server.choose(embedded_redis.stored_in(settings.data)) if embedded else None
    # Up to here nothing was written: what cannot start leaves no trace.
    close_to_others(settings.data)
    lock = claims.lock_data(settings)
    url = embedded_redis.prepare(settings.data, server) if embedded else settings.redis_url
    if not embedded:
        embedded_redis.record_url(settings.data, url)
    migrate_databases(settings)
    keep_functions(settings)
    (settings.data / "logs").mkdir(exist_ok=True)
    config = settings.data / "run" / "supervisord.conf"
    sockets.make_folder(config.parent)
    shards = choice.shards_of(settings)
    config.write_text(supervisor_config(settings, embedded_redis=embedded, reload=given.reload, shards=shards))
    os.environ.update(supervisor_variables(settings), TAPTRADE_REDIS_URL=url, TZ="UTC")
    say_event("starting", f"starting in {settings.data}", as_json=given.json, data=settings.data)
    ledger = {"TAPTRADE_DATABASE_URL": settings.database_url} if settings.database_url else {}
    beside("taptrade.announce", *([RELOAD] if given.reload else []), *(["--json"] if given.json else []), **ledger)
    if given.reload:
        beside("taptrade.dev_watch")
    become_supervisor(config, lock, secrets, as_json=given.json)


def keep_functions(settings: Settings) -> None:
    """Keep the functions as this start finds them, so that a deployment of changed ones can be taken back."""
    with suppress(LockHeld), sole_deployment(settings.data):
        keep_own(settings.data, SystemClock().now_ms())


def beside(name: str, *options: str, **variables: str) -> None:
    """Start a process that prints into this terminal: the banner when all is well, or what a developer changed.

    `variables` are in its environment alone.
    """
    words = module(name, str(os.getpid()), *options)
    # A Ctrl-C that comes while it imports waits until it says how to take it.
    os.posix_spawn(words[0], words, os.environ | variables, setsigmask=[signal.SIGINT])


def become_supervisor(
    config: Path, lock: FileIO, secrets: Mapping[str, Mapping[str, str]], *, as_json: bool
) -> NoReturn:
    """Go on as supervisord over `config`; the lock stays held, and each of the secrets goes to its process alone.

    What it begins with, all its forks show; so it reads the secrets from a file without a name.
    """
    told = os.memfd_create("secrets")
    os.write(told, msgspec.json.encode(secrets))
    os.lseek(told, 0, os.SEEK_SET)
    for kept in (lock.fileno(), told):
        os.set_inheritable(kept, True)
    # They wait until there is somebody again who knows what to do.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    options = ["--json"] if as_json else []
    words = module("taptrade.supervise", str(config), str(lock.fileno()), str(told), *options)
    sys.stdout.flush()
    os.execv(words[0], words)  # noqa: S606  the command is ours, without a shell
