"""gunicorn's settings, by its own names; nothing here opens sockets, which the gevent worker patches first."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from runtime.function_versions import InService, take_up
from runtime.settings import load
from runtime.systemd import systemd
from taptrade.listening import address_of, with_port

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

_settings = load()
# gunicorn itself would say that it is ready before any worker is, and nothing at its end.
systemd.find(os.environ)

bind = with_port(address_of(_settings.host), _settings.port)
workers = _settings.api_workers
worker_class = "runtime.server.TapWorker"
worker_connections = 10_000
backlog = 4096
# Longer than nginx keeps its upstream connections, so that nginx never reuses one that is just being closed.
keepalive = 75
timeout = 30
graceful_timeout = 5
# Recycling by request count would strand kept-alive connections and streams.
max_requests = 0
control_socket_disable = True
accesslog = None
errorlog = "-"
logger_class = "runtime.server.gunicorn_log.GunicornLog"
loglevel = _settings.log_level.lower()
proc_name = "taptrade-api"
# The heartbeat file is touched each second; on a disk that could block the hub.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(_settings.data / "run")  # noqa: S108


def post_fork(server: Arbiter, worker: Any) -> None:
    """End with the master, at once: a worker that outlives it would hold the port against its successor.

    Whoever sends what is no request makes gunicorn warn of each; its log gets a few of them. A master that lets workers
    take over from others (taptrade.api_master) says which functions this one serves.
    """
    from runtime.log import Sparing
    from taptrade.lifeline import die_with

    die_with(server.pid, signal.SIGKILL)
    worker.log.error_log.addFilter(Sparing())
    version = getattr(server, "version", None)
    if version is not None:
        take_up(_settings.data, version)
        worker.ways = server.ways
        worker.answers = InService(_settings.data, "api", version).begin


def post_worker_init(_worker: Any) -> None:
    """Say that the API is ready, once a worker has all that it answers with."""
    systemd.ready()


def on_exit(_server: Arbiter) -> None:
    """Say that it stops."""
    systemd.stopping()
