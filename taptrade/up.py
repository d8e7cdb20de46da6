"""`taptrade up`: check, prepare, then be the supervisor of every process until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from jobs.feed.opening import recording_of
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, ResponseError, connect
from runtime.settings import Settings, SettingsError, load
from runtime.storage.column_width import refuse_other_width
from runtime.storage.database import open_reader, require_safe_sqlite
from taptrade import embedded_redis, sockets
from taptrade.claims import claim_all
from taptrade.function_check import require_functions
from taptrade.housekeeping import migrate_databases
from taptrade.pricing import reward_model
from taptrade.processes import supervisor_config, supervisor_variables
from taptrade.serve import SUPERVISOR


class RunOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's options for a run that belongs to a terminal and to this very process."""

    def cleanup_fds(self) -> None:
        """Keep our files open: one of them is the lock of the data folder."""

    def setsignals(self) -> None:
        """Stop on SIGHUP too: when the terminal goes, the run goes with it."""
        super().setsignals()
        signal.signal(signal.SIGHUP, lambda _number, frame: self.signal_receiver.receive(signal.SIGTERM, frame))


def main(argv: Sequence[str]) -> int:
    """Start every process, restart what dies, stop all on Ctrl-C. Settings come from the environment."""
    argparse.ArgumentParser(prog="taptrade up", description=main.__doc__).parse_args(argv)
    settings = load()
    require_safe_sqlite()
    reward_model(settings)
    recording_of(settings)
    require_functions()
    os.umask(0o077)
    lock = claim_all(settings)
    embedded = not settings.redis_url
    url = embedded_redis.prepare(settings.data) if embedded else settings.redis_url
    if not embedded:
        require_roomy_redis(url)
    migrate_databases(settings)
    require_same_columns(settings)
    (settings.data / "logs").mkdir(exist_ok=True)
    config = settings.data / "run" / "supervisord.conf"
    sockets.make_folder(config.parent)
    config.write_text(supervisor_config(settings, embedded_redis=embedded))
    os.environ.update(supervisor_variables(settings), TAPTRADE_REDIS_URL=url, TZ="UTC", PYTHONUNBUFFERED="1")
    os.environ[SUPERVISOR] = str(os.getpid())
    print(f"taptrade: starting in {settings.data}", flush=True)
    announce()
    supervise(config)
    sockets.remove_folder(config.parent)
    lock.close()
    print("taptrade: stopped", flush=True)
    return 0


def require_roomy_redis(url: str) -> None:
    """Raise if a Redis that is not ours may evict keys or is too small; one that is away is waited for later."""
    client = connect(url)
    try:
        found = client.config_get("maxmemory*")
    except OUTAGES as ex:
        print(f"taptrade: TAPTRADE_REDIS_URL does not answer yet ({type(ex).__name__})", file=sys.stderr)
        return
    except ResponseError:
        return  # the server forbids CONFIG; it cannot be asked
    finally:
        client.close()
    policy, size = found.get("maxmemory-policy"), int(found.get("maxmemory") or 0)
    if policy != "noeviction":
        raise SettingsError(
            f"TAPTRADE_REDIS_URL: maxmemory-policy is {policy}, it must be noeviction: eviction loses bets"
        )
    if not redis_keys.budget_fits(size):
        needed = sum(redis_keys.BUDGET_BYTES.values()) * 100 // redis_keys.BUDGET_SHARE_PERCENT
        raise SettingsError(f"TAPTRADE_REDIS_URL: maxmemory is {size} bytes, our keys need {needed} at least")


def require_same_columns(settings: Settings) -> None:
    """Raise if bets are open on columns of another width than the settings say."""
    reader = open_reader(settings.database)
    try:
        refuse_other_width(reader.execute, settings.column_seconds)
    finally:
        reader.close()


def announce() -> None:
    """Start the process that prints the banner when all is well; it ends by itself."""
    os.posix_spawn(sys.executable, [sys.executable, "-P", "-m", "taptrade.announce"], os.environ)


def supervise(config: Path) -> None:
    """Be supervisord until it is told to stop."""
    options = RunOptions()
    options.realize(["-n", "-c", str(config)], doc=__doc__)
    options.first, options.test = True, False
    try:
        Supervisor(options).main()
    except asyncore.ExitNow:
        pass
    finally:
        options.close_httpservers()
        options.close_logger()
