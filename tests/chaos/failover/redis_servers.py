"""Three Redis with a sentinel each, one of both on every machine: who is the primary, and how it is made another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from taptrade import redis_server
from tests.chaos.failover.machines import NAMES, Machines
from tests.chaos.kept import Kept
from tests.waiting import wait_until

SERVICE = "house"
FIRST = "c"
"""The primary of the beginning, which has no database beside it."""
PORT, SENTINEL_PORT = 6379, 26379
QUORUM = 2
DOWN_AFTER_MS = 2_000
ASK_S = 0.5
START_S_MAX = 30
# As docs/postgresql.md has them for each server.
DURABLE = {
    "appendonly": "yes",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "min-replicas-to-write": "1",
    "min-replicas-max-lag": "3",
}


class RedisServers:
    """The servers and their sentinels."""

    def __init__(self, machines: Machines, folder: Path) -> None:
        self.machines = machines
        self.folder = folder
        self.kept: dict[str, Kept] = {}
        self._servers = {name: self._client(name, PORT) for name in NAMES}
        self._sentinels = {name: self._client(name, SENTINEL_PORT) for name in NAMES}

    @property
    def url(self) -> str:
        """What the house is given."""
        hosts = ",".join(f"{self.machines.address(name)}:{SENTINEL_PORT}" for name in NAMES)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def start(self) -> None:
        """Start all, and wait until each knows the others."""
        for name in NAMES:
            self._start_server(name)
        wait_until(lambda: self._role(FIRST).get("connected_slaves") == len(NAMES) - 1, START_S_MAX, what="replicas")
        for name in NAMES:
            self._start_sentinel(name)
        wait_until(self.is_whole, START_S_MAX, every_s=0.2, what=f"sentinels that know all; see {self.folder}")

    def primary(self) -> str:
        """Return the machine that most sentinels name; empty if they do not agree."""
        named = [self._named_by(name) for name in NAMES]
        return next((name for name in NAMES if named.count(name) >= QUORUM), "")

    def is_whole(self) -> bool:
        """Tell whether all sentinels name one primary, and the other two follow it."""
        primary = self._named_by(NAMES[0])
        if not primary or any(self._named_by(name) != primary for name in NAMES):
            return False
        its = self._role(primary)
        follow = [self._role(name) for name in NAMES if name != primary]
        return its.get("role") == "master" and all(
            there.get("master_host") == self.machines.address(primary) and there.get("master_link_status") == "up"
            for there in follow
        )

    def end(self) -> None:
        """End everything."""
        for kept in self.kept.values():
            kept.end()
        for client in (*self._servers.values(), *self._sentinels.values()):
            client.close()

    def _client(self, name: str, port: int) -> redis.Redis:
        return redis.Redis(
            host=self.machines.address(name),
            port=port,
            socket_timeout=ASK_S,
            socket_connect_timeout=ASK_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def _role(self, name: str) -> dict[str, Any]:
        with suppress(redis.RedisError):
            found: dict[str, Any] = self._servers[name].info("replication")
            return found
        return {}

    def _named_by(self, name: str) -> str:
        with suppress(redis.RedisError):
            found: Any = self._sentinels[name].sentinel_get_master_addr_by_name(SERVICE)
            return next((of for of in NAMES if found and found[0] == self.machines.address(of)), "")
        return ""

    def _start_server(self, name: str) -> None:
        folder = self.folder / f"redis-{name}"
        folder.mkdir()
        rules = {"port": str(PORT), "bind": self.machines.address(name), "protected-mode": "no", "dir": str(folder)}
        follows = {} if name == FIRST else {"replicaof": f"{self.machines.address(FIRST)} {PORT}"}
        # In a file, for a sentinel writes into it whom the server follows from then on.
        file = folder / "redis.conf"
        file.write_text(_lines(rules | DURABLE | {"repl-diskless-sync-delay": "0"} | follows))
        self._keep(f"redis-{name}", name, [str(file)])

    def _start_sentinel(self, name: str) -> None:
        folder = self.folder / f"sentinel-{name}"
        folder.mkdir()
        file = folder / "sentinel.conf"
        rules = {"port": str(SENTINEL_PORT), "bind": self.machines.address(name), "protected-mode": "no"}
        watched = {
            "sentinel monitor": f"{SERVICE} {self.machines.address(FIRST)} {PORT} {QUORUM}",
            "sentinel down-after-milliseconds": f"{SERVICE} {DOWN_AFTER_MS}",
            "sentinel failover-timeout": f"{SERVICE} 10000",
        }
        file.write_text(_lines(rules | {"dir": str(folder)} | watched))
        self._keep(f"sentinel-{name}", name, [str(file), "--sentinel"])

    def _keep(self, name: str, machine: str, arguments: list[str]) -> None:
        words = self.machines.within(machine, [str(redis_server.choose()), *arguments])
        self.kept[name] = Kept(words, dict(os.environ) | {"LC_ALL": "C"}, self.folder / f"{name}.log")


def _lines(rules: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in rules.items())
