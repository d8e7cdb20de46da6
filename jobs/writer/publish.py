"""Tell what was committed: answers to those who wait, events to the streams, and the end of the jobs, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from jobs.writer.inbox import Inbox, TakenJob
from runtime.game.bets import Bet
from runtime.game.ledger import Commit, CommitEvent
from runtime.game.player_entries import Execute
from runtime.messaging import bus, redis_keys
from runtime.messaging.commands import BETS, Outcome
from runtime.messaging.connection import Redis
from runtime.records.events import events_of_commit, last_commit
from runtime.records.views import BetView, event

REPLIES_KEPT_S = 60
_encode = msgspec.json.encode

Answers = Mapping[str, list[Outcome]]


def publish(client: Redis, inbox: Inbox, commit: Commit | None, jobs: list[TakenJob], answers: Answers) -> None:
    """Answer those who wait, tell of the commit (None: nothing was written) and end the jobs, in one script of Redis.

    Either all of it is seen, or the jobs come again and are answered then. Only if Redis dies right after may a job
    have ended whose answer is lost.
    """
    replies: list[Any] = []
    for origin, outcomes in answers.items():
        replies += (redis_keys.replies(origin), _encode(outcomes))
    pending = [redis_keys.pending(bet_id) for bet_id in _bet_ids(jobs)]
    number, events = ("", b"") if commit is None else (commit.number, _events(commit, answers))
    counts = (len(answers), len(pending), len(jobs))
    told = (redis_keys.BUS_COMMITS, redis_keys.PUBLISHED_COMMIT, redis_keys.BACKLOG_BETS)
    keys = [*(redis_keys.of_shard(key, inbox.shard) for key in told), inbox.worker.key]
    fixed = [number, events, redis_keys.BUS_COMMITS_KEEP, REPLIES_KEPT_S, *counts]
    inbox.publish_script(keys=keys, args=[*fixed, *replies, *pending, *inbox.ends(jobs)], client=client)


def _events(commit: Commit, answers: Answers) -> bytes:
    # A bet that is placed looks the same in its answer. One that ends does not, and may be answered once more here.
    views = dict(_views(each for outcomes in answers.values() for each in outcomes if each.code is None))
    return _encode([event(item, commit.number, views.get(_placed_id(item))) for item in commit.events])


def _views(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, BetView | None]]:
    for each in outcomes:
        for tap in each.data.get("taps", ()):
            bet = tap.get("bet")
            if isinstance(bet, BetView):
                yield bet.id, bet
        yield each.id, each.data.get("bet")


def _placed_id(item: CommitEvent) -> str:
    bet = item.content
    return bet.id if isinstance(bet, Bet) and bet.status == "confirmed" else ""


def _bet_ids(jobs: Iterable[TakenJob]) -> list[str]:
    return [command.id for job in jobs if job.batch for command in job.batch.commands if isinstance(command, BETS)]


def catch_up(client: Redis, execute: Execute, shard: int = 1) -> int:
    """Publish the commits that a shard's writer made and did not tell of; return how many.

    In an empty Redis nobody is behind: whoever resumes a stream reads the database.
    """
    newest, marker_key = last_commit(execute), redis_keys.of_shard(redis_keys.PUBLISHED_COMMIT, shard)
    marker = client.get(marker_key)
    published = newest if marker is None else int(marker)
    for number in range(published + 1, newest + 1):
        with client.pipeline(transaction=True) as pipeline:
            bus.publish_commit(pipeline, number, _encode(events_of_commit(execute, number)), shard)
            pipeline.set(marker_key, number)
            pipeline.execute()
    if marker is None or published > newest:
        client.set(marker_key, newest)
    return max(0, newest - published)
