"""How a stream begins: hello and a snapshot, or what was missed since the reader's place, or a reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import msgspec

from runtime import sse
from runtime.bus import order
from runtime.market import Market
from runtime.streams import Moment, Streams
from runtime.subscriber import Subscriber
from runtime.views import rfc3339

PAGE = 500


class Hello(msgspec.Struct, frozen=True):
    """The first event: which run this is, and how often it gives a sign of life."""

    event_id: str
    run_id: str
    mode: str
    heartbeat_ms: int
    server_time: str
    server_time_ms: int
    user_id: str | None


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole picture; `balance` and `open_bets` for a signed-in player only."""

    event_id: str
    mode: str
    server_time: str
    server_time_ms: int
    price: msgspec.Raw | None
    grid: msgspec.Raw | None
    breaker: dict[str, Any]
    balance: int | msgspec.UnsetType = msgspec.UNSET
    open_bets: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Opening:
    """Write the first events of a stream; `chunks` subscribes before it reads, so that nothing falls in between."""

    streams: Streams
    market: Market
    run_id: str
    mode: str
    now_ms: int
    random: Random

    def chunks(self, subscriber: Subscriber, asked: str) -> Iterator[bytes]:
        """Yield the beginning of the stream of `subscriber`, who asked to resume at a place (empty: to start)."""
        place = sse.parse_place(asked) if asked else None
        moment = self.streams.subscribe(subscriber, place)
        if not asked or (place is not None and place.nowhere):
            start = self._snapshot(subscriber, moment)
            yield self._hello(subscriber, sse.beginning(moment.place.epoch)) + start
        elif place is None or moment.missed is None or place.commit > self._newest_commit(moment):
            reset = self._snapshot(subscriber, moment, reason="The place to resume from is not known here.")
            yield reset + self._hello(subscriber, moment.place)
        else:
            yield from self._resume(subscriber, place, moment)

    def _newest_commit(self, moment: Moment) -> int:
        # Another process may have told this reader of a commit that is still on its way to this one.
        return max(moment.place.commit, self.streams.record.newest_commit())

    def _hello(self, subscriber: Subscriber, place: sse.Place) -> bytes:
        hello = Hello(
            event_id=str(place),
            run_id=self.run_id,
            mode=self.mode,
            heartbeat_ms=sse.HEARTBEAT_MS,
            server_time=rfc3339(self.now_ms),
            server_time_ms=self.now_ms,
            user_id=subscriber.user_id,
        )
        return sse.retry(self.random) + sse.frame("hello", place, msgspec.json.encode(hello))

    def _snapshot(self, subscriber: Subscriber, moment: Moment, reason: str = "") -> bytes:
        account = None if subscriber.user_id is None else self.streams.record.account(subscriber.user_id)
        place = moment.place
        if account is not None and account.commit > place.commit:
            # The database is ahead of the bus: what the snapshot holds is not told again.
            place = replace(place, commit=account.commit, n=sse.WHOLE_COMMIT)
            subscriber.after_committed = place.committed
        snapshot = Snapshot(
            event_id=str(place),
            mode=self.mode,
            server_time=rfc3339(self.now_ms),
            server_time_ms=self.now_ms,
            price=_raw(moment.price or self.market.tick_json),
            grid=_raw(moment.grid or self.market.grid_json),
            breaker=self.market.breaker.to_dict(),
            balance=msgspec.UNSET if account is None else account.balance,
            open_bets=msgspec.UNSET if account is None else account.open_bets,
            reason=reason or msgspec.UNSET,
        )
        return sse.frame("reset" if reason else "snapshot", place, msgspec.json.encode(snapshot))

    def _resume(self, subscriber: Subscriber, asked: sse.Place, moment: Moment) -> Iterator[bytes]:
        subscriber.after_public = max(subscriber.after_public, order(asked.public))
        subscriber.after_committed = max(subscriber.after_committed, asked.committed)
        first = self._hello(subscriber, asked)
        for event in moment.missed or ():
            if event.type in subscriber.wants:
                place = replace(asked, public=event.id)
                first += sse.frame(event.type, place, sse.with_event_id(event.data, event.id))
        public = max(asked.public, moment.place.public, key=order)
        for page in self._missed_commits(subscriber, replace(asked, public=public), moment):
            yield first + page
            first = b""
        commit, n = subscriber.after_committed
        place = sse.Place(asked.epoch, public, commit, n)
        newest = {"price": moment.price, "grid": moment.grid}
        frames = [sse.frame(kind, place, data) for kind, data in newest.items() if data and kind in subscriber.wants]
        yield first + b"".join(frames)

    def _missed_commits(self, subscriber: Subscriber, place: sse.Place, moment: Moment) -> Iterator[bytes]:
        """Yield what was committed after `place` and will not come live, a page at a time."""
        if subscriber.wants.isdisjoint(sse.COMMITTED_TYPES):
            return
        upto = moment.place.committed
        while place.committed < upto:
            page = self.streams.record.events_of_user(subscriber.user_id, place.committed, upto[0], PAGE)
            frames = []
            for commit, event in page:
                place = replace(place, commit=commit, n=event["n"])
                if event["type"] in subscriber.wants and place.committed <= upto:
                    frames.append(sse.frame(event["type"], place, msgspec.json.encode(event["data"])))
            yield b"".join(frames)
            if len(page) < PAGE:
                return


def _raw(data: bytes | None) -> msgspec.Raw | None:
    return None if data is None else msgspec.Raw(data)
