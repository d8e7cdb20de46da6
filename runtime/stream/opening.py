"""How a stream begins: hello and a snapshot, or what was missed since the reader's cursor, or a reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import msgspec

from runtime.clock import rfc3339
from runtime.game.shards import shard_of
from runtime.market.state import Market
from runtime.messaging.bus import order
from runtime.stream import sse
from runtime.stream.hub import Hub, Moment
from runtime.stream.payloads import Hello, Snapshot
from runtime.stream.subscriber import Subscriber

PAGE = 500


@dataclass(frozen=True, slots=True)
class Opening:
    """Write the first events of a stream; `chunks` subscribes before it reads, so that nothing falls in between."""

    hub: Hub
    market: Market
    run_id: str
    mode: str
    now_ms: int
    random: Random

    def chunks(self, subscriber: Subscriber, asked: str) -> Iterator[bytes]:
        """Yield the beginning of the stream of `subscriber`, who asked to resume at a cursor (empty: to start)."""
        cursor = sse.parse_cursor(asked) if asked else None
        moment = self.hub.subscribe(subscriber, cursor)
        if not asked or (cursor is not None and cursor.nowhere):
            start = self._snapshot(subscriber, moment)
            yield self._hello(subscriber, sse.beginning(moment.cursor.epoch)) + start
        elif cursor is None or moment.missed is None or not self._knows(cursor, moment):
            reset = self._snapshot(subscriber, moment, reason="The cursor is not known here.")
            yield reset + self._hello(subscriber, moment.cursor)
        else:
            yield from self._resume(subscriber, cursor, moment)

    def _knows(self, cursor: sse.Cursor, moment: Moment) -> bool:
        """Tell whether a cursor is of the shard that this hub follows, and not ahead of it."""
        if shard_of(cursor.commit) != shard_of(moment.cursor.commit):
            return False
        # Another process may have told this reader of a commit that is still on its way to this one.
        return cursor.commit <= max(moment.cursor.commit, self.hub.record.newest_commit())

    def _hello(self, subscriber: Subscriber, cursor: sse.Cursor) -> bytes:
        hello = Hello(
            event_id=str(cursor),
            run_id=self.run_id,
            mode=self.mode,
            heartbeat_ms=sse.HEARTBEAT_MS,
            server_time=rfc3339(self.now_ms),
            server_time_ms=self.now_ms,
            user_id=subscriber.user_id,
        )
        return sse.retry(self.random) + sse.frame("hello", cursor, msgspec.json.encode(hello))

    def _snapshot(self, subscriber: Subscriber, moment: Moment, reason: str = "") -> bytes:
        account = None if subscriber.user_id is None else self.hub.record.account(subscriber.user_id)
        cursor = moment.cursor
        if account is not None and account.commit > cursor.commit:
            # The database is ahead of the bus: what the snapshot holds is not told again.
            cursor = replace(cursor, commit=account.commit, n=sse.WHOLE_COMMIT)
            subscriber.after_committed = cursor.committed
        snapshot = Snapshot[msgspec.Raw, msgspec.Raw](
            event_id=str(cursor),
            mode=self.mode,
            server_time=rfc3339(self.now_ms),
            server_time_ms=self.now_ms,
            price=_raw(moment.price or self.market.tick_json),
            grid=_raw(moment.grid or self.market.grid_json),
            breaker=self.market.breaker,
            balance=msgspec.UNSET if account is None else account.balance,
            open_bets=msgspec.UNSET if account is None else account.open_bets,
            reason=reason or msgspec.UNSET,
        )
        return sse.frame("reset" if reason else "snapshot", cursor, msgspec.json.encode(snapshot))

    def _resume(self, subscriber: Subscriber, asked: sse.Cursor, moment: Moment) -> Iterator[bytes]:
        subscriber.after_public = max(subscriber.after_public, order(asked.public))
        subscriber.after_committed = max(subscriber.after_committed, asked.committed)
        first = self._hello(subscriber, asked)
        for event in moment.missed or ():
            if event.type in subscriber.wants:
                cursor = replace(asked, public=event.id)
                first += sse.frame(event.type, cursor, sse.with_event_id(event.data, event.id))
        public = max(asked.public, moment.cursor.public, key=order)
        for page in self._missed_commits(subscriber, replace(asked, public=public), moment):
            yield first + page
            first = b""
        commit, n = subscriber.after_committed
        cursor = sse.Cursor(asked.epoch, public, commit, n)
        newest = {"price": moment.price, "grid": moment.grid}
        frames = [sse.frame(kind, cursor, data) for kind, data in newest.items() if data and kind in subscriber.wants]
        yield first + b"".join(frames)

    def _missed_commits(self, subscriber: Subscriber, cursor: sse.Cursor, moment: Moment) -> Iterator[bytes]:
        """Yield what was committed after `cursor` and will not come live, a page at a time."""
        if subscriber.wants.isdisjoint(sse.COMMITTED_TYPES):
            return
        upto = moment.cursor.committed
        while cursor.committed < upto:
            page = self.hub.record.events_of_user(subscriber.user_id, cursor.committed, upto[0], PAGE)
            frames = []
            for commit, event in page:
                cursor = replace(cursor, commit=commit, n=event.n)
                if event.type in subscriber.wants and cursor.committed <= upto:
                    frames.append(sse.frame(event.type, cursor, msgspec.json.encode(event.data)))
            yield b"".join(frames)
            if len(page) < PAGE:
                return


def _raw(data: bytes | None) -> msgspec.Raw | None:
    return None if data is None else msgspec.Raw(data)
