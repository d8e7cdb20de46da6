"""`taptrade serve NAME`: run one process in the foreground, as the supervisor or a container does."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from runtime import log
from runtime.function_files import DiscoveryError
from runtime.function_settings import file_of
from runtime.function_versions import OWN, InService, in_service, take_up
from runtime.more_shards import BEGIN_ANEW
from runtime.settings import Settings, load
from runtime.systemd import systemd
from taptrade import embedded_redis
from taptrade.function_check import require_functions
from taptrade.lifeline import die_with
from taptrade.listening import address_of
from taptrade.machine_at_work import await_seat
from taptrade.output import add_output
from taptrade.own_files import close_to_others
from taptrade.pricing import refuse_unproven_model, reward_model
from taptrade.processes import PROCESSES, RELOAD, UNDER, WRITER, Names, module, read_name, take_secrets
from taptrade.reloading import end_when_changed

logger = logging.getLogger(__name__)

OPEN_FILES_MAX = 65_536
PRICING = frozenset({"api", "writer", "feed"})
"""The processes that load the reward model."""
STAND_BY_S = 0.02
"""How often a process that stands by looks whether it is its turn."""


def main(argv: Sequence[str]) -> int:
    """Run one process until it is told to stop."""
    names = {process.name: process.help for process in PROCESSES} | {
        "writer-2": "the same for the second shard's ledger"
    }
    parser = argparse.ArgumentParser(
        prog="taptrade serve",
        description=main.__doc__,
        epilog="\n".join(f"{name:<10} {text}" for name, text in names.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=Names(names), metavar="NAME", help=", ".join(names))
    parser.add_argument("--stand-by", action="store_true", help="let the one at work end first, where only one may be")
    parser.add_argument(UNDER, type=int, metavar="PID", help="end when this process, our parent, ends")
    parser.add_argument(RELOAD, action="store_true", help="begin anew when the sources change, for developers")
    add_output(parser, "log JSON on a terminal too; elsewhere the log always is")
    given = parser.parse_args(argv)
    name, shard = read_name(given.name)
    forget_secrets_of_others(name)
    if given.json:
        os.environ[log.JSON_ALWAYS] = "1"
    settings = load()
    close_to_others(settings.data)
    if given.under is not None:
        die_with(given.under, signal.SIGTERM)
    use_utc()
    if name != "redis":
        os.environ["TAPTRADE_DATA"] = str(settings.data)
        os.environ["TAPTRADE_REDIS_URL"] = embedded_redis.redis_url(settings)
        settings = load()
    if name in PRICING:
        reward_model(settings)
        refuse_unproven_model(settings)
    if name == "api" and given.under is None:  # the supervisor has done so before it started us
        require_functions(OWN if given.reload else in_service(settings.data))
    stands_by = given.stand_by or (name == WRITER and settings.database_url)
    server = STANDING_BY.get(name) if stands_by else None
    if shard != 1:
        server = _imported(WRITER, SOLE[WRITER], stand_by=_wait_for(WRITER), shard=shard)
    return (_reloading(name, settings) if given.reload and shard == 1 else server or SERVERS[name])(settings)


def forget_secrets_of_others(name: str) -> None:
    """Begin anew without what only other processes need: what a process began with, /proc shows for its whole life."""
    taken = take_secrets(os.environ)
    own = taken.pop(name, {})
    os.environ.update(own)
    if any(others.keys() - own.keys() for others in taken.values()):
        _become([sys.executable, *sys.orig_argv[1:]])


def use_utc() -> None:
    """Live in UTC: rq-scheduler reads cron strings in the process's local time."""
    os.environ["TZ"] = "UTC"
    time.tzset()


def _redis(settings: Settings) -> int:
    os.environ["LC_ALL"] = "C"  # newer servers refuse to start in a locale that the machine does not have
    if not settings.redis_url:  # `taptrade up` sets it, and has prepared everything
        embedded_redis.prepare(settings.data)
    command = embedded_redis.command(settings.data)
    # Whoever puts damaged files aside moves the folder away; the server does not make it.
    embedded_redis.stored_in(settings.data).mkdir(mode=0o700, exist_ok=True)
    # From here on it is known where it will listen; whoever needs it waits until it does.
    systemd.find(os.environ)
    systemd.ready()
    return _become(command)


def _api(settings: Settings, app: str = "runtime.wiring:get_app()", server: str = "taptrade.api_master") -> int:
    """Become gunicorn. Nothing that opens sockets is imported before its worker has patched them for gevent."""
    del settings
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES_MAX)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return _become(module(server, "--config", "python:taptrade.gunicorn_settings", app))


def _dashboard(settings: Settings) -> int:
    address = address_of(settings.dashboard_host, "TAPTRADE_DASHBOARD_HOST")
    return _imported("dashboard", OTHERS["dashboard"], address)(settings)


def _become(command: Sequence[str]) -> int:
    sys.stdout.flush()
    os.execv(command[0], list(command))  # noqa: S606  the command is ours, without a shell


def _imported(process: str, module_name: str, *arguments: object, **named: Any) -> Callable[[Settings], int]:
    def serve(settings: Settings) -> int:
        log.configure(process, settings.log_level)
        systemd.find(os.environ)
        await_seat(process, settings)
        try:
            return int(importlib.import_module(module_name).main(*arguments, **named) or 0)
        except OSError:
            # A sentence, which is all that other commands say, would not tell where a process broke.
            logger.exception("%s cannot go on", process)
            return 1

    return serve


def _reloading(name: str, settings: Settings) -> Callable[[Settings], int]:
    """Return what runs a process that begins anew when its sources change; the API sees to its functions itself."""
    if name == "api":
        return lambda settings: _api(settings, "taptrade.dev_app:get_app()", "gunicorn")
    if name not in NOT_OURS:
        given = [file_of(settings)] if name == "functions" else []
        end_when_changed(functions=name in OF_FUNCTIONS, also=given)
    return _patient(_imported(name, OF_FUNCTIONS[name])) if name in OF_FUNCTIONS else SERVERS[name]


def _patient(serve: Callable[[Settings], int]) -> Callable[[Settings], int]:
    """Return what serves a developer: while a function is broken it waits for the change that ends it.

    The API tells what is broken. If this one ended, it would only begin anew and end again, until that is mended.
    """

    def wait_while_broken(settings: Settings) -> int:
        try:
            return serve(settings)
        except DiscoveryError as ex:
            logger.warning("waits until this is mended: %s", ex)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        while True:
            signal.pause()

    return wait_while_broken


def _of_functions(process: str, module_name: str) -> Callable[[Settings], int]:
    """Return what runs a process with the functions in service, and begins it anew when others are."""

    def serve(settings: Settings) -> int:
        version = in_service(settings.data)
        take_up(settings.data, version)
        service = InService(settings.data, process, version)
        status = _imported(process, module_name, service)(settings)
        if status != BEGIN_ANEW and not service.moved():
            return status
        systemd.leave(os.environ)
        return _become([sys.executable, *sys.orig_argv[1:]])

    return serve


OF_FUNCTIONS = {"functions": "jobs.triggers.main", "scheduler": "jobs.rq.scheduler"}
"""Whoever knows the functions, beside the API."""
NOT_OURS = frozenset({"redis", "replica"})
"""What they run is no source of ours."""
SOLE = {"replica": "taptrade.replica", "writer": "jobs.writer.main", "feed": "jobs.feed.main"}
"""Of these only one may be at work: others can stand by."""
OTHERS = {"settler": "jobs.rq.workers", "jobs": "jobs.rq.workers", "dashboard": "jobs.dashboard.main"}
MODULES = frozenset({*OF_FUNCTIONS.values(), *SOLE.values(), *OTHERS.values()})
"""What processes import that do not become another program."""
SERVERS: dict[str, Callable[[Settings], int]] = {
    "redis": _redis,
    "api": _api,
    **{name: _imported(name, module) for name, module in SOLE.items()},
    "settler": _imported("settler", OTHERS["settler"], "settle", "settler"),
    "jobs": _imported("jobs", OTHERS["jobs"], "jobs", "jobs"),
    **{name: _of_functions(name, module) for name, module in OF_FUNCTIONS.items()},
    "dashboard": _dashboard,
}


def _wait_for(role: str) -> Callable[[], None]:
    """Return what waits a moment for the process that is at work; the service manager and the log are told."""
    told = False

    def wait() -> None:
        nonlocal told
        if not told:
            systemd.standing_by(role)
            logger.info("stands by for the %s that is at work", role)
            told = True
        systemd.alive()
        time.sleep(STAND_BY_S)

    return wait


STANDING_BY = {name: _imported(name, module, stand_by=_wait_for(name)) for name, module in SOLE.items()}
