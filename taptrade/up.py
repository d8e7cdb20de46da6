"""`taptrade up`: check, prepare, then be the supervisor of every process until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from runtime.clock import SystemClock
from runtime.process_lock import LockHeld
from runtime.settings import Settings, load
from taptrade import claims, embedded_redis, redis_server, sockets
from taptrade.function_sets import keep_own, sole_deployment
from taptrade.housekeeping import migrate_databases
from taptrade.output import print_json
from taptrade.own_files import close_to_others
from taptrade.processes import RELOAD, module, supervisor_config, supervisor_variables, take_secrets
from taptrade.start_checks import require_startable


class RunOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's options for a run that belongs to a terminal and to this very process.

    `secrets` are the variables that one process alone gets, by its name: they stand in no file and in no other
    process's environment.
    """

    def __init__(self, secrets: Mapping[str, Mapping[str, str]] | None = None) -> None:
        super().__init__()
        self._secrets = secrets or {}

    def processes_from_section(self, *arguments: Any, **named: Any) -> Any:
        """Hand each process its secrets, whenever the configuration is read."""
        found = super().processes_from_section(*arguments, **named)
        for process in found:
            process.environment = {**(process.environment or {}), **self._secrets.get(process.name, {})}
        return found

    def cleanup_fds(self) -> None:
        """Keep our files open: one of them is the lock of the data folder."""

    def setsignals(self) -> None:
        """Stop on SIGHUP too: when the terminal goes, the run goes with it."""
        super().setsignals()
        signal.signal(signal.SIGHUP, lambda _number, frame: self.signal_receiver.receive(signal.SIGTERM, frame))


def main(argv: Sequence[str]) -> int:
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
    config.write_text(supervisor_config(settings, embedded_redis=embedded, reload=given.reload))
    os.environ.update(supervisor_variables(settings), TAPTRADE_REDIS_URL=url, TZ="UTC")
    _say("starting", f"starting in {settings.data}", as_json=given.json, data=settings.data)
    beside("taptrade.announce", *([RELOAD] if given.reload else []), *(["--json"] if given.json else []))
    if given.reload:
        beside("taptrade.dev_watch")
    supervise(config, secrets)
    sockets.remove_folder(config.parent)
    lock.close()
    _say("stopped", "stopped", as_json=given.json)
    return 0


def keep_functions(settings: Settings) -> None:
    """Keep the functions as this start finds them, so that a deployment of changed ones can be taken back."""
    with suppress(LockHeld), sole_deployment(settings.data):
        keep_own(settings.data, SystemClock().now_ms())


def _say(event: str, sentence: str, *, as_json: bool, **facts: object) -> None:
    if as_json:
        print_json({"event": event, **facts})
    else:
        print(f"taptrade: {sentence}", flush=True)


def beside(name: str, *options: str) -> None:
    """Start a process that prints into this terminal: the banner when all is well, or what a developer changed."""
    words = module(name, str(os.getpid()), *options)
    # A Ctrl-C that comes while it imports waits until it says how to take it.
    os.posix_spawn(words[0], words, os.environ, setsigmask=[signal.SIGINT])


def supervise(config: Path, secrets: Mapping[str, Mapping[str, str]]) -> None:
    """Be supervisord until it is told to stop."""
    options = RunOptions(secrets)
    options.realize(["-n", "-c", str(config)], doc=__doc__)
    options.first, options.test = True, False
    try:
        Supervisor(options).main()
    except asyncore.ExitNow:
        pass
    finally:
        options.close_httpservers()
        options.close_logger()
