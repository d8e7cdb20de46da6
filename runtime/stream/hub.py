"""The stream's hub, one a process: reads the bus once, encodes each event once, serves the readers that want it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from runtime.errors import Unavailable
from runtime.market.state import Market
from runtime.messaging.bus import PublicEvent, PublishedCommit, oldest_public_id, order, public_between
from runtime.storage.read_pool import ReadPool
from runtime.stream import sse
from runtime.stream.brief import brief_price
from runtime.stream.capacity import subscribers_max
from runtime.stream.grid_changes import GridChanges
from runtime.stream.newest import NEWEST_ONLY, Newest, in_order
from runtime.stream.record import CommittedEvents
from runtime.stream.remembered import Remembered
from runtime.stream.subscriber import Item, Subscriber

logger = logging.getLogger(__name__)

READY_WAIT_S = 2.0
FILL_MAX = 300


class BusEvent(msgspec.Struct, frozen=True):
    """One event of a commit; a `user` of None means everybody."""

    n: int
    user: str | None
    type: str
    data: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the hub stood when a reader joined, and what is newest there."""

    cursor: sse.Cursor
    price: bytes | None
    grid: bytes | None
    missed: tuple[PublicEvent, ...] | None
    """Status and touched events since the reader's cursor; None where they are no longer known."""


_events = msgspec.json.Decoder(list[BusEvent])


class Hub:
    """Follow the bus for all readers of this process; a listener of the bus, after the market."""

    def __init__(self, market: Market, pool: ReadPool, workers: int = 1) -> None:
        self._market = market
        self._workers = workers
        self.record = CommittedEvents(pool.execute)
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._closed = False
        self._cursor = sse.beginning("")
        self._sequence = 0
        self._newest = Newest()
        self._changes = GridChanges()
        self._remembered = Remembered()
        self._expected_commit = 0
        self._subscribers: set[Subscriber] = set()
        self._by_user: dict[str, set[Subscriber]] = {}
        self._told: set[Subscriber] = set()
        """Those who were told of their own: they are served before the next round."""
        self.unsent = threading.Event()
        """Set when there is something that a round should pass on."""

    @property
    def count(self) -> int:
        """Return how many readers there are."""
        return len(self._subscribers)

    @property
    def cursor(self) -> sse.Cursor:
        """Where this process stands."""
        return self._cursor

    def subscribers(self) -> list[Subscriber]:
        """Return the readers of this moment."""
        with self._lock:
            return list(self._subscribers)

    def subscribe(self, subscriber: Subscriber, asked: sse.Cursor | None = None) -> Moment:
        """Let a reader join, at a cursor that it asks to resume from if that is still possible."""
        if not self._ready.wait(READY_WAIT_S) or self._closed:
            raise Unavailable("The stream is not ready yet.", retry_after_s=2)
        with self._lock:
            if len(self._subscribers) >= subscribers_max(self._workers):
                raise Unavailable("Too many streams are open.", code="OVERLOADED", retry_after_s=10)
            subscriber.sequence = self._sequence
            subscriber.after_public = order(self._cursor.public)
            subscriber.after_committed = self._cursor.committed
            self._subscribers.add(subscriber)
            if subscriber.user_id is not None:
                self._by_user.setdefault(subscriber.user_id, set()).add(subscriber)
            missed = self._remembered.since(asked.public) if asked and asked.epoch == self._cursor.epoch else None
            return Moment(self._cursor, self._newest.data("price"), self._newest.data("grid"), missed)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a reader; again is nothing."""
        with self._lock:
            subscriber.end()
            self._subscribers.discard(subscriber)
            mates = self._by_user.get(subscriber.user_id or "")
            if mates is not None:
                mates.discard(subscriber)
                if not mates:
                    self._by_user.pop(subscriber.user_id or "", None)

    def take(self, subscriber: Subscriber) -> bytes:
        """Return what waits for a reader, in order: its queue, and of prices and grids the newest."""
        with self._lock:
            subscriber.wake.clear()
            if subscriber.ended:
                subscriber.wake.set()
                return b""
            return self._take(subscriber)

    def serve(self, subscribers: Iterable[Subscriber]) -> None:
        """Pass on what is new for these readers: at once where a connection waits for it, else by waking it."""
        with self._lock:
            for subscriber in subscribers:
                if subscriber.ended or not (subscriber.queue or self._newest.has_unsent(subscriber)):
                    continue
                if subscriber.sink is None or subscriber.owed or not subscriber.parked:
                    subscriber.rouse()
                else:
                    self._offer(subscriber, self._take(subscriber))

    def park(self, subscriber: Subscriber, resume: Callable[[], object]) -> bool:
        """Leave a reader to the rounds if there is nothing for it now; `resume` begins a greenlet when it needs one."""
        with self._lock:
            if subscriber.sink is None or subscriber.ended or subscriber.owed or subscriber.wake.is_set():
                return False
            subscriber.parked, subscriber.resume = True, resume
            return True

    def beat(self, subscribers: Iterable[Subscriber]) -> None:
        """Give readers that are left to the rounds a sign of life."""
        with self._lock:
            for subscriber in subscribers:
                if subscriber.resume is not None:
                    self._offer(subscriber, sse.HEARTBEAT)

    def end(self, subscribers: Iterable[Subscriber]) -> None:
        """End readers; they come again and resume."""
        with self._lock:
            for subscriber in subscribers:
                subscriber.end()

    def close(self) -> None:
        """End all readers and take no more: the process is about to stop."""
        self._closed = True
        self.end(self.subscribers())

    def synchronize(self, client: Any, public_id: str) -> None:
        """Begin at the start and after Redis was emptied; otherwise look whether a commit's events went missing."""
        newest_commit = self.record.newest_commit()
        if not self._ready.is_set():
            self._begin(client, public_id, newest_commit)
        elif self._cursor.epoch != self._market.epoch or order(public_id) < order(self._cursor.public):
            logger.warning("Redis came back empty: readers start anew")
            self._begin(client, public_id, newest_commit)
            self.end(self.subscribers())
        elif newest_commit < self._cursor.commit:
            logger.error("the database went back from commit %d to %d", self._cursor.commit, newest_commit)
            self._cursor = replace(self._cursor, commit=newest_commit, n=sse.WHOLE_COMMIT)
            self.end(self.subscribers())
        elif self._cursor.commit < self._expected_commit:
            # Committed before the last look and still not heard of: published while Redis was away, or not at all.
            self._fill(self._expected_commit)
            self._serve_told()
        self._expected_commit = newest_commit

    def receive(self, events: Sequence[PublicEvent], commits: Sequence[PublishedCommit]) -> None:
        """Pass on what one reading of the bus brought: at once to those it concerns alone, to all in the next round."""
        try:
            with self._lock:
                for event in events:
                    self._pass_public(event)
            for commit in commits:
                self._pass_commit(commit)
        finally:
            self._serve_told()

    def _begin(self, client: Any, public_id: str, commit: int) -> None:
        kept: list[PublicEvent] = []
        newest: dict[str, PublicEvent] = {}
        oldest = oldest_public_id(client)
        for event in public_between(client, "0-0", public_id):
            if event.type in NEWEST_ONLY:
                newest[event.type] = event
            else:
                kept.append(event)
        with self._lock:
            self._cursor = sse.Cursor(self._market.epoch, public_id, commit, sse.WHOLE_COMMIT)
            self._remembered = Remembered(kept, oldest or public_id)
            self._newest = Newest(map(self._item, newest.values()))
            self._changes = GridChanges(newest.get("grid"))
        self._ready.set()

    def _pass_public(self, event: PublicEvent) -> None:
        self._cursor = replace(self._cursor, public=event.id)
        item = self._item(event)
        self.unsent.set()
        if event.type in NEWEST_ONLY:
            self._newest.put(item, self._other(item, event))
            return
        self._remembered.put(event)
        for subscriber in self._subscribers:
            subscriber.push(item)

    def _other(self, item: Item, event: PublicEvent) -> Item | None:
        """Return what tells a price in brief or a grid by its change; None where nobody would read it."""
        if self._subscribers:
            return (self._changes.next if event.type == "grid" else brief_price)(item, event, self._cursor)
        if event.type == "grid":
            self._changes.skip(event)
        return None

    def _item(self, event: PublicEvent) -> Item:
        self._sequence += 1
        data = sse.with_event_id(event.data, event.id)
        frame = sse.frame(event.type, self._cursor, data)
        return Item(self._sequence, event.type, data, frame, public=order(event.id))

    def _pass_commit(self, published: PublishedCommit) -> None:
        if published.commit <= self._cursor.commit:
            return  # told before: the writer repeats itself after a crash
        self._expected_commit = max(self._expected_commit, published.commit)
        self._fill(published.commit - 1)
        self._pass_events(published.commit, published.events)

    def _fill(self, upto: int) -> None:
        """Read commits whose events were missed from the database; too many, and each reader does so for itself."""
        if upto - self._cursor.commit > FILL_MAX:
            logger.warning("missed the events of commits %d to %d: readers resume", self._cursor.commit + 1, upto)
            self._cursor = replace(self._cursor, commit=upto, n=sse.WHOLE_COMMIT)
            self.end(self.subscribers())
        while self._cursor.commit < upto:
            commit = self._cursor.commit + 1
            self._pass_events(commit, msgspec.json.encode(self.record.events_of_commit(commit)))

    def _pass_events(self, commit: int, events: bytes) -> None:
        with self._lock:
            for event in _events.decode(events) if self._subscribers else ():
                self._pass_committed(commit, event)
            self._cursor = replace(self._cursor, commit=commit, n=sse.WHOLE_COMMIT)

    def _pass_committed(self, commit: int, event: BusEvent) -> None:
        readers = self._subscribers if event.user is None else self._by_user.get(event.user)
        if not readers:
            return
        self._cursor = replace(self._cursor, commit=commit, n=event.n)
        self._sequence += 1
        data = bytes(event.data)
        item = Item(
            self._sequence,
            event.type,
            data,
            sse.frame(event.type, self._cursor, data),
            committed=self._cursor.committed,
        )
        for subscriber in readers:
            subscriber.push(item)
        if event.user is None:
            self.unsent.set()
        else:
            self._told.update(readers)

    def _serve_told(self) -> None:
        told, self._told = self._told, set()
        self.serve(told)

    def _offer(self, subscriber: Subscriber, chunk: bytes) -> None:
        if chunk and subscriber.sink is not None and not subscriber.sink.offer(chunk):
            subscriber.owed = True
            subscriber.rouse()

    def _take(self, subscriber: Subscriber) -> bytes:
        subscriber.takes += 1
        if subscriber.queue:
            chunk = in_order([*self._newest.due(subscriber), *filter(subscriber.fits, subscriber.queue)])
            subscriber.queue = []
        else:
            chunk = self._newest.chunk(subscriber)
        subscriber.sequence = self._sequence
        return chunk
