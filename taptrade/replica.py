"""The replica's process: Litestream as a child, what it says as our log, and how far it has come."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec

from runtime.background import Background
from runtime.clock import Clock, SystemClock
from runtime.machine import machine_of
from runtime.messaging.connection import OUTAGES, Redis, connect
from runtime.messaging.metrics_exchange import start_pushing
from runtime.messaging.redis_keys import REPLICA_SHIPPED
from runtime.messaging.redis_values import ReplicaShipped
from runtime.metrics.table import Metrics
from runtime.personal.erased import ERASURES_FILE
from runtime.process_lock import sole
from runtime.settings import Settings, load
from runtime.stopping import Stop, stop_on_signals
from runtime.storage.database import open_writer
from runtime.systemd import systemd
from taptrade import litestream, sockets
from taptrade.lifeline import die_with

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 2.0
SILENT_S_MAX = 300
"""How long a look may take: an S3 that is away is tried again and again."""
LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}


class Shipping:
    """How far the replica has come, asked of Litestream and left in Redis."""

    def __init__(self, control: litestream.Control, databases: tuple[Path, ...], client: Redis, clock: Clock) -> None:
        self._control = control
        self._databases = databases
        self._client = client
        self._clock = clock
        self._reached_ms: dict[str, int] = {}
        self._failing: set[str] = set()

    def look(self) -> None:
        """Ship what is there and leave when that was."""
        for database in self._databases:
            asked_ms = self._clock.now_ms()
            try:
                self._control.sync(database)
            except litestream.ReplicaFailed as ex:
                if database.name not in self._failing:
                    logger.warning("the replica falls behind: %s", ex)
                self._failing.add(database.name)
                continue
            self._failing.discard(database.name)
            self._reached_ms[database.name] = asked_ms
        try:
            self._client.set(REPLICA_SHIPPED, ReplicaShipped(self._reached_ms).encode())
        except OUTAGES as ex:
            logger.debug("how far the replica has come waits for Redis: %s", ex)


def main(stand_by: Callable[[], object] | None = None) -> int:
    """Ship until SIGTERM or SIGINT, with `stand_by` as soon as the one that is at work has ended.

    Without an address to ship to, only wait.
    """
    settings = load()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it says each request
    with sole("replica", settings.data / "run" / "replica.lock", stand_by):
        stopping = Stop()
        stop_on_signals(stopping)
        try:
            return _ship(settings, SystemClock(), stopping)
        finally:
            systemd.stopping()


def _ship(settings: Settings, clock: Clock, stopping: Stop) -> int:
    metrics = Metrics("replica")
    background = Background(stopping, clock, metrics)
    if not settings.replica_url:
        logger.info("TAPTRADE_REPLICA_URL is not set, so nothing is shipped")
        start_pushing(connect(settings.redis_url), metrics, clock, OUTAGES, background, machine_of(settings))
        systemd.ready()
        while not stopping.wait(LOOKS_EVERY_S):
            systemd.alive()
        return 0
    warn_of_one_disk(settings.replica_url, settings.data)
    cut_log(settings.data)
    socket = sockets.make_folder(settings.data / "run") / sockets.LITESTREAM
    child = start(settings, socket, os.environ)
    threading.Thread(target=retell, args=(child.stdout,), daemon=True).start()
    start_pushing(connect(settings.redis_url), metrics, clock, OUTAGES, background, machine_of(settings))
    control = litestream.Control(socket)
    shipping = Shipping(control, litestream.databases(settings.data), connect(settings.redis_url), clock)
    systemd.ready()
    while not stopping.wait(LOOKS_EVERY_S) and child.poll() is None:
        shipping.look()
        systemd.alive(within_s=SILENT_S_MAX)
    return _end(child)


def _end(child: subprocess.Popen[bytes]) -> int:
    ended = child.poll()
    if ended is not None:
        logger.error("Litestream has ended with status %d", ended)
        return 1
    # The last that it does is to ship what was committed last.
    child.terminate()
    child.wait()
    return 0


def cut_log(data: Path) -> None:
    """Cut the ledger's log if a player was forgotten since that was done last; while Litestream runs, nobody can.

    It reads the whole database again afterwards.
    """
    listed, done = data / ERASURES_FILE, data / "run" / "log-cut"
    if not listed.exists() or (done.exists() and done.stat().st_mtime_ns >= listed.stat().st_mtime_ns):
        return
    with closing(open_writer(litestream.databases(data)[0], checkpoint_pages=0)) as database:
        if not database.checkpoint("TRUNCATE").busy:
            done.touch()


def start(settings: Settings, socket: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start Litestream, which must not outlive this process: two of them would spoil the replica."""
    config = settings.data / "run" / "litestream.yml"
    text = litestream.configuration(settings.data, settings.replica_url, settings.replica_endpoint, socket, environ)
    config.write_bytes(text)
    parent = os.getpid()
    return subprocess.Popen(
        [litestream.program(), "replicate", "-config", config, "-no-expand-env"],
        env=litestream.surroundings(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: die_with(parent, signal.SIGKILL),  # noqa: PLW1509  no thread of ours holds a lock here
        start_new_session=True,  # a Ctrl-C of the terminal is for us
    )


def retell(lines: IO[bytes] | None) -> None:
    """Say in our log what Litestream says."""
    for line in lines or ():
        try:
            said = msgspec.json.decode(line, type=dict[str, object])
        except msgspec.DecodeError:
            logger.warning("%s", line.decode(errors="replace").strip())
            continue
        fields = {name: value for name, value in said.items() if name not in ("time", "level", "msg")}
        level = LEVELS.get(str(said.get("level")), logging.WARNING)
        logger.log(level, "%s", said.get("msg", ""), extra={"fields": fields})


def warn_of_one_disk(url: str, data: Path) -> None:
    """Say so where the replica lies on the disk of the data, and would be lost with it."""
    folder = Path(url)
    if url.startswith("s3://"):
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_same = folder.stat().st_dev == data.stat().st_dev
    except OSError as ex:
        logger.warning("%s: %s", ex.filename or folder, ex.strerror)
        return
    if is_same:
        logger.warning("the replica in %s is on the disk of the data, and would be lost with it", folder)
