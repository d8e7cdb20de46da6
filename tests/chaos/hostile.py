"""A hostile client among the players: bodies that drip in, and floods of its own limits and of sign-ins."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx

from runtime.clock import SystemClock
from runtime.game.limit_changes import CHANGES_PER_DAY_MAX
from runtime.server.worker import BODY_S
from taptrade.wallet import new_wallet, sign_login
from tests.acceptance.system import System
from tests.chaos.stage import Stage

DRIPS = 200
BYTE_EVERY_S = 0.5
QUIET_S = 10.0
HOSTILE_S = BODY_S + 10.0
# The system's own proxy is on this machine, and is believed about whom it speaks for.
ADDRESS_OF_DRIPS, ADDRESS_OF_LIMITS, ADDRESS_OF_LOGINS = "192.0.2.5", "203.0.113.7", "198.51.100.9"
HEAD = (
    "POST /api/bets HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n{{"
)
CLOCK = SystemClock()


@dataclass
class Hostile:
    """As a context, the client is at work within the block."""

    system: System
    stop: Flag = field(default_factory=Flag)
    answers: dict[str, list[int]] = field(default_factory=lambda: {"limits": [], "logins": []})
    """The statuses of all answers, by what was asked for."""
    ended: int = 0
    """Drips that the server has ended."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Do all at once until the end of the block."""
        work = (self._drip, self._flood_limits, self._flood_logins)
        threads = [Thread(target=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(10)

    def _drip(self) -> None:
        """Keep bodies coming in, each a byte every now and then; what the server ends begins anew."""
        clients: list[socket.socket] = []
        host = f"127.0.0.1:{self.system.settings.port}"
        with self._client(ADDRESS_OF_DRIPS) as client:
            head = HEAD.format(host=host, token=self._log_in(client).json()["token"]).encode()
        while not self.stop.wait(BYTE_EVERY_S):
            ended, _, _ = select.select(clients, [], [], 0)
            self.ended += len(ended)
            for one in ended:  # an answer or the end: either way the server waits no more
                one.close()
                clients.remove(one)
            clients += [self._begin(head) for _ in range(DRIPS - len(clients))]
            for one in clients:
                with suppress(OSError):
                    one.send(b" ")
        for one in clients:
            one.close()

    def _begin(self, head: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.system.settings.port), timeout=5)
        client.sendall(head)
        return client

    def _client(self, address: str) -> httpx.Client:
        return httpx.Client(base_url=self.system.url, headers={"X-Forwarded-For": address})

    def _flood_limits(self) -> None:
        with self._client(ADDRESS_OF_LIMITS) as client:
            token = self._log_in(client).json()["token"]
            cents = 10**9
            while not self.stop.is_set():
                cents -= 1
                wanted: dict[str, Any] = {"stake_day_max_cents": cents, "loss_day_max_cents": None}
                headers = {"Authorization": f"Bearer {token}"}
                self.answers["limits"].append(client.put("/api/me/limits", json=wanted, headers=headers).status_code)

    def _flood_logins(self) -> None:
        with self._client(ADDRESS_OF_LOGINS) as client:
            while not self.stop.is_set():
                self.answers["logins"].append(self._log_in(client).status_code)

    def _log_in(self, client: httpx.Client) -> httpx.Response:
        signed = sign_login(new_wallet(), new_wallet().address, self.system.audience, CLOCK.now_ms())
        return client.post("/api/auth/login", json={"message": signed.message, "signature": signed.signature})


def hostile_client(stage: Stage) -> None:
    """Let a hostile client in; its own allowances end it, its drips are ended, and the others play on."""
    stage.crowd.fault = "before the hostile client"
    stage.pause(QUIET_S)
    stage.crowd.fault = "hostile client"
    client = Hostile(stage.system)
    before = stage.crowd.confirmed
    with client.at_work():
        stage.tell(f"{DRIPS} bodies drip in, limits and sign-ins are flooded")
        stage.pause(HOSTILE_S)
    stage.crowd.fault = "after the hostile client"
    refused = {what: statuses.count(429) for what, statuses in client.answers.items()}
    stage.tell(f"{client.ended} drips ended, refused: {refused}")
    stage.expect(stage.crowd.confirmed > before, "nobody could bet beside the hostile client")
    stage.expect(client.ended >= DRIPS, f"only {client.ended} of {DRIPS} drips were ended")
    stage.expect(client.ended <= DRIPS * HOSTILE_S / BODY_S, f"{client.ended} drips were ended before their time")
    for what, statuses in client.answers.items():
        stage.expect(statuses.count(429) > 0, f"the flood of {what} was never refused")
        odd = {status for status in statuses if status not in (200, 429)}
        stage.expect(not odd, f"the flood of {what} was answered {odd}")
    with stage.system.database() as database:
        [(changes,)] = database.execute("SELECT count(DISTINCT created_commit) FROM player_limits")
    stage.expect(changes == CHANGES_PER_DAY_MAX, f"{changes} changes of limits were stored")
