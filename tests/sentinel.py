"""A primary with a replica under three sentinels, all real and of this test alone, to be killed, stopped and woken."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from taptrade import redis_server
from tests.conftest import answers
from tests.waiting import wait_until

SERVICE = "house"
SENTINELS = 3
DOWN_AFTER_MS = 500


class Server:
    """One process of the server's binary, as a server or as a sentinel."""

    def __init__(self, folder: Path, port: int, arguments: Sequence[str]) -> None:
        folder.mkdir(exist_ok=True)
        self.port = port
        self.client = redis.Redis(port=port, retry=Retry(NoBackoff(), 0), decode_responses=True)
        """A plain client, which looks and changes by hand."""
        self._command = [str(redis_server.choose()), *arguments]
        self._log = folder / "log"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, again with the files that it has."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: answers(f"redis://127.0.0.1:{self.port}"), what=f"the server on port {self.port}")
        return self.process

    def kill(self) -> None:
        """End it as a loss of power would; one that is stopped as well."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """Let it answer nothing, with its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on; it knows of nothing that has happened meanwhile."""
        self.process.send_signal(signal.SIGCONT)

    def tells(self) -> dict[str, Any]:
        """Return what it says of its replication."""
        found: dict[str, Any] = self.client.info("replication")
        return found


class Watched:
    """A primary and its replica, and the sentinels that watch them; `url` is what a house is given."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2 + SENTINELS)
        first, other, *watching = ports
        self.primary = server(folder / "primary", first)
        self.replica = server(folder / "replica", other, "--replicaof", f"127.0.0.1 {first}")
        self.sentinels = [_sentinel(folder / f"sentinel{port}", port, first) for port in watching]
        self.servers = [self.primary, self.replica, *self.sentinels]
        hosts = ",".join(f"127.0.0.1:{port}" for port in watching)
        self.url = f"redis+sentinel://{hosts}/{SERVICE}/0"
        wait_until(lambda: all(map(_knows_all, self.sentinels)), 20, what="sentinels that know each other")
        wait_until(lambda: self.replica.tells().get("master_link_status") == "up", what="a replica that follows")

    def promoted(self) -> Server:
        """Wait until the replica is the primary, by itself and by every sentinel."""
        wait_until(lambda: all(_primary_of(one) == self.replica.port for one in self.sentinels), 20)
        assert self.replica.tells()["role"] == "master"
        return self.replica


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Run all of it for a block."""
    found = Watched(folder)
    try:
        yield found
    finally:
        for one in found.servers:
            one.client.close()
            one.kill()


def server(folder: Path, port: int, *more: str) -> Server:
    """Start a server on a port of this machine, with files as our own has them."""
    durable = ("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")
    quick = ("--repl-diskless-sync-delay", "0", "--bind", "127.0.0.1")
    return Server(folder, port, ("--port", str(port), "--dir", str(folder), *durable, *quick, *more))


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, no two alike."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _sentinel(folder: Path, port: int, primary: int) -> Server:
    folder.mkdir()
    configuration = folder / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {SERVICE} 127.0.0.1 {primary} {SENTINELS // 2 + 1}\n"
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\nsentinel failover-timeout {SERVICE} 2000\n"
    )
    return Server(folder, port, (str(configuration), "--sentinel"))


def _knows_all(sentinel: Server) -> bool:
    found: Any = sentinel.client.sentinel_master(SERVICE)
    return bool((found["num-slaves"], found["num-other-sentinels"]) == (1, SENTINELS - 1))


def _primary_of(sentinel: Server) -> int:
    with suppress(redis.RedisError):
        found: Any = sentinel.client.sentinel_get_master_addr_by_name(SERVICE)
        return int(found[1]) if found else 0
    return 0
