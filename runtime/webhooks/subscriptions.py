"""Subscriptions and deliveries as rows of functions.db, which survives the loss of Redis."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from runtime.clock import rfc3339
from runtime.game.statements import read_statements
from runtime.messaging.queues import new_id
from runtime.storage.database import Database, open_writer
from runtime.triggers import Event
from runtime.triggers.kinds import kinds_meant
from runtime.webhooks.signing import PREFIX

HOOKS = read_statements("runtime.webhooks", "webhooks.sql")
Status = Literal["waiting", "delivered", "given_up"]
SECRET_BYTES = 32
ATTEMPTS_MAX = 10
PAUSES_S = (5, 30, 120, 600, 1_800, 7_200, 14_400, 28_800, 43_200)
"""How long is waited after each attempt that failed: 27 hours in all, before it is given up."""
KEPT_MS = 7 * 24 * 3_600_000
"""How long a delivery that has ended is kept, to be listed and sent again."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of which events."""

    id: str
    url: str
    secret: str
    names: tuple[str, ...]
    """The events as they were asked for, such as `bet` or `bet.won`."""
    created_ms: int

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that these mean."""
        return kinds_meant(self.names)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one subscription, with what is sent."""

    id: str
    event_id: str
    kind: str
    payload: str
    attempts: int


class Sent(msgspec.Struct, frozen=True):
    """A delivery as an operator sees it."""

    id: str
    subscription_id: str
    event_id: str
    kind: str
    status: Status
    attempts: int
    created_ms: int
    due_ms: int
    answered_ms: int | None
    answer: str


class Webhooks:
    """The subscriptions and deliveries of a house."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subscribe(self, url: str, names: tuple[str, ...], now_ms: int) -> Subscription:
        """Tell somebody of events from now on; the secret is made here."""
        secret = PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        made = Subscription(new_id(now_ms), url, secret, names, now_ms)
        row = (made.id, made.url, made.secret, " ".join(names), now_ms)
        self._database.execute(HOOKS["subscribe"], row)
        return made

    def unsubscribe(self, subscription_id: str, now_ms: int) -> bool:
        """Tell it no more, not even of what waits; False if there is no such subscription."""
        with self._database.transaction():
            ended = self._database.execute(HOOKS["unsubscribe"], (now_ms, subscription_id))
            self._database.execute(HOOKS["drop_waiting"], (now_ms, "the subscription has ended", subscription_id))
        return bool(ended)

    def subscriptions(self) -> list[Subscription]:
        """Return those that are told."""
        rows = self._database.execute(HOOKS["live_subscriptions"])
        return [Subscription(one, url, secret, tuple(names.split()), ms) for one, url, secret, names, ms in rows]

    def wanted(self) -> frozenset[str]:
        """Return the kinds of events that anybody wants to be told of."""
        return frozenset(kind for one in self.subscriptions() for kind in one.kinds)

    def note(self, event: Event, now_ms: int) -> list[str]:
        """Make a delivery of an event for each that wants it; return the subscriptions that nothing waited for yet."""
        payload, begun = payload_of(event, now_ms), []
        for one in self.subscriptions():
            if event.kind in one.kinds:
                if not self._database.execute(HOOKS["is_waiting"], (one.id,))[0][0]:
                    begun.append(one.id)
                row = (new_id(now_ms), one.id, event.id, event.kind, payload, now_ms, now_ms)
                self._database.execute(HOOKS["add_delivery"], row)
        return begun

    def due(self, subscription_id: str, now_ms: int) -> Delivery | None:
        """Return what is to be sent next."""
        rows = self._database.execute(HOOKS["next_due"], (subscription_id, now_ms))
        return Delivery(*rows[0]) if rows else None

    def waiting(self, now_ms: int) -> list[str]:
        """Return the subscriptions that something is due for."""
        return [one for (one,) in self._database.execute(HOOKS["waiting_subscriptions"], (now_ms,))]

    def begin(self, delivery: Delivery, now_ms: int) -> None:
        """Count an attempt before it is made: who dies in it makes the next one no sooner than after its pause."""
        pause_s = PAUSES_S[min(delivery.attempts, len(PAUSES_S) - 1)]
        self._database.execute(HOOKS["begin_attempt"], (now_ms + pause_s * 1000, delivery.id))

    def answered(self, delivery: Delivery, answer: str, now_ms: int, *, taken: bool) -> Status:
        """Keep what became of an attempt."""
        is_last = delivery.attempts + 1 >= ATTEMPTS_MAX
        status: Status = "delivered" if taken else "given_up" if is_last else "waiting"
        self._database.execute(HOOKS["answered"], (status, now_ms, answer, delivery.id))
        return status

    def deliveries(self, subscription_id: str | None, status: Status | None, limit: int) -> list[Sent]:
        """Return the newest deliveries."""
        rows: Any = self._database.execute(HOOKS["newest_deliveries"], (subscription_id, status, limit))
        return [Sent(*row) for row in rows]

    def replay(self, delivery_id: str, now_ms: int) -> bool:
        """Send a delivery once more; False if there is none for a subscription that is told."""
        return bool(self._database.execute(HOOKS["replay_one"], (now_ms, delivery_id)))

    def replay_given_up(self, subscription_id: str, now_ms: int) -> int:
        """Send everything once more that was given up; return how many that is."""
        return len(self._database.execute(HOOKS["replay_given_up"], (now_ms, subscription_id)))

    def furthest(self) -> int:
        """Return the last commit that a delivery is of, 0 if there is none."""
        return int(self._database.execute(HOOKS["furthest"])[0][0] or 0)

    def forget_beyond(self, commit: int) -> None:
        """Forget deliveries of what came after a commit, which is the ledger's last since an older one was restored."""
        self._database.execute(HOOKS["forget_beyond"], (commit,))

    def forget_old(self, now_ms: int) -> None:
        """Forget the deliveries that ended long ago."""
        self._database.execute(HOOKS["forget_old"], (now_ms - KEPT_MS,))


def payload_of(event: Event, now_ms: int) -> str:
    """Return what is sent: the same bytes with each attempt, since they are signed."""
    body = {"type": event.kind, "timestamp": rfc3339(now_ms), "data": {"user_id": event.user_id, **event.data}}
    return msgspec.json.encode(body).decode()


@contextmanager
def webhooks_in(path: Path) -> Iterator[Webhooks]:
    """Open the webhooks of a house for a while."""
    database = open_writer(path)
    try:
        yield Webhooks(database)
    finally:
        database.close()
