"""What a writer says of itself in Redis several times a second, unless one with a later epoch is at work."""

from __future__ import annotations

import os
from typing import Any

from jobs.writer.book import AnotherWriter, Book
from runtime.game.buckets import Bucket
from runtime.messaging import redis_keys
from runtime.messaging.connection import Redis
from runtime.messaging.redis_values import WriterAlive, encode_buckets
from runtime.postgresql import choice


class Alive:
    """The word of a shard's writer."""

    def __init__(self, client: Redis, shard: int, since_ms: int) -> None:
        self._client = client
        self.since_ms = since_ms
        self._alive = redis_keys.of_shard(redis_keys.WRITER_ALIVE, shard)
        self._epoch = redis_keys.of_shard(redis_keys.WRITER_EPOCH, shard)
        self._closed = redis_keys.of_shard(redis_keys.BUCKETS_CLOSED, shard)

    def hear(self, book: Book) -> None:
        """Take over what was said of the time: bets were told by it that no commit will bring them any more."""
        told: Any = self._client.get(self._alive)
        if told is not None:
            book.told_ms = max(book.told_ms, WriterAlive.decode(told).clock_ms)

    def say(self, book: Book, trouble: str, closed: frozenset[Bucket], *, in_doubt: bool = False) -> None:
        """Say that we live; raise AnotherWriter if one with a later epoch does, whose word ours would hide.

        While a commit is `in_doubt` no time passes: it may still bring the bets in it.
        """
        epoch = choice.epoch_of(book.database)
        if epoch:
            newest: Any = self._client.get(self._epoch)
            if newest is not None and int(newest) > epoch:
                raise AnotherWriter("another writer is at work, under a later epoch")
        if not in_doubt:
            book.told_ms = book.now_ms()
        said = WriterAlive(os.getpid(), self.since_ms, book.told_ms, book.number, trouble)
        # Bets wait meanwhile: all of it is one round trip.
        with self._client.pipeline(transaction=False) as pipeline:
            if epoch:
                # It runs out, since a database that was restored, or is another, may have an earlier one.
                pipeline.set(self._epoch, epoch, ex=redis_keys.ALIVE_TTL_S)
            pipeline.set(self._alive, said.encode(), ex=redis_keys.ALIVE_TTL_S)
            pipeline.set(self._closed, encode_buckets(closed))
            pipeline.execute()
