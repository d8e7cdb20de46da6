"""Find out what an id is, and gather what logs, database and Redis know of it into one story in order of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, get_args

import msgspec

from jobs.upkeep.archive_store import StoreFailed
from runtime.explanation.facts import find_bet, find_column
from runtime.game.ids import ulid_ms
from runtime.messaging.connection import Redis, RedisError, connect
from runtime.personal.seal import key_of
from runtime.settings import Settings, SettingsError
from runtime.storage.database import Database
from taptrade import embedded_redis
from taptrade.archived import BetUnknown, Book, holder_of
from taptrade.books import open_books
from taptrade.carried import job_steps, jobs_carrying, pending_steps, told_at_ms
from taptrade.log_lines import LogLine, lines_about, log_files
from taptrade.traced import (
    LAST_MS,
    Step,
    commits_of,
    ids_of_request,
    passed,
    steps_of_bet,
    steps_of_commit,
    steps_of_withdrawal,
)

Kind = Literal["request", "bet", "withdrawal", "job", "commit"]
KINDS: tuple[str, ...] = get_args(Kind)
AROUND_MS = 60_000
"""How far from the time that was said, or that a log tells, a request's bet is looked for."""
_COMMIT = re.compile(r"c?([0-9]{1,15})(?:\.[0-9]+)?")


class Story(msgspec.Struct):
    """What is known of one id; `passed` are the milliseconds between a bet's steps."""

    id: str
    kind: str
    is_known: bool = False
    began_ms: int | None = None
    """The moment from which times are told: when it was received, committed or queued."""
    steps: list[Step] = []
    undated: list[LogLine] = []
    passed: dict[str, dict[str, int]] = {}
    bets: list[str] = []
    notes: list[str] = []


class Storyteller:
    """Ask the database, Redis if it answers, and the logs."""

    def __init__(self, settings: Settings, logs: Sequence[Path]) -> None:
        self._settings = settings
        self._logs = [*log_files(settings.data / "logs"), *logs]
        self._open = ExitStack()
        self._books: Database = self._open.enter_context(open_books(settings))
        self._redis: Redis | None = None
        self._story = Story("", "")
        self._words: list[str] = []
        """What the lines of logs are known by that belong to the story."""

    def close(self) -> None:
        """Let go of the database and of Redis."""
        self._open.close()

    def tell(self, id_: str, kind: str | None, at_ms: int | None) -> Story:
        """Return the story of an id; of what kind it is, its form and who knows it tell."""
        text = id_.upper() if ulid_ms(id_.upper()) is not None and kind != "request" else id_
        story, self._words = Story(text, kind or ""), [id_ if kind == "request" else text]
        self._story = story
        self._redis = self._connected()
        tellers = {
            "commit": lambda: self._commit(text),
            "job": lambda: self._job(text),
            "bet": lambda: self._bet(text),
            "withdrawal": lambda: self._withdrawal(text),
            "request": lambda: self._request(id_, at_ms),
        }
        for name in (kind,) if kind else tellers:
            if tellers[name]():
                story.kind = name
                break
        self._tell_logs()
        story.is_known = bool(story.steps or story.undated)
        story.steps.sort()
        if story.began_ms is None and story.steps:
            story.began_ms = story.steps[0].at_ms
        story.kind = story.kind or "request"
        return story

    def _connected(self) -> Redis | None:
        try:
            client = connect(embedded_redis.redis_url(self._settings))
            self._open.callback(client.close)
            client.ping()
        except (RedisError, SettingsError):
            self._story.notes.append("Redis does not answer: what it carries is not told")
            return None
        return client

    def _commit(self, text: str) -> bool:
        found = _COMMIT.fullmatch(text)
        if not found:
            return False
        number = int(found[1])
        steps, bets = steps_of_commit(self._books.execute, number)
        self._story.steps += steps
        self._story.bets += bets
        if steps:
            self._words = [f"commit {number}"]
            self._story.began_ms = steps[0].at_ms
            self._tell_stream([(number, steps[0].at_ms)])
        return bool(steps)

    def _job(self, text: str) -> bool:
        if self._redis is None:
            return False
        steps, commands = job_steps(self._redis, text)
        for command_id in commands:
            self._bet(command_id)
        if steps:
            self._story.began_ms = steps[0].at_ms
        self._story.steps += steps
        return bool(steps)

    def _bet(self, bet_id: str) -> bool:
        if ulid_ms(bet_id) is None:
            return False
        try:
            with holder_of(self._settings, bet_id) as held:
                return self._stored_bet(held.book, bet_id)
        except BetUnknown as ex:
            hint = str(ex) if "archive restore" in str(ex) else ""
        except StoreFailed as ex:
            hint = str(ex)
        steps = self._carried(bet_id)
        self._story.steps += steps
        if steps:
            self._story.bets.append(bet_id)
        elif hint:
            self._story.notes.append(hint)
        return bool(steps)

    def _carried(self, bet_id: str) -> list[Step]:
        if self._redis is None:
            return []
        steps = pending_steps(self._redis, bet_id)
        for job_id in jobs_carrying(self._redis, bet_id):
            steps += job_steps(self._redis, job_id)[0]
        return steps

    def _stored_bet(self, database: Book, bet_id: str) -> bool:
        bet = find_bet(database.execute, bet_id)
        if bet is None:
            return False
        column = find_column(database.execute, bet.column_start_s)
        story = self._story
        story.steps += steps_of_bet(database.execute, bet, key_of(self._books.execute, bet.user_id))
        told = self._tell_stream(commits_of(bet, column))
        self._words.append(f"column {bet.column_start_s}")
        story.passed[bet.id] = passed(bet, column, told)
        story.bets.append(bet.id)
        story.began_ms = bet.received_ms if story.began_ms is None else min(story.began_ms, bet.received_ms)
        return True

    def _withdrawal(self, text: str) -> bool:
        steps = steps_of_withdrawal(self._books.execute, text)
        self._story.steps += steps
        return bool(steps)

    def _request(self, request_id: str, at_ms: int | None) -> bool:
        """Find what was made for a request by the letters that ids end with, around the time that is known of it."""
        dated = [line.at_ms for line in lines_about([request_id], self._own_logs()) if line.at_ms is not None]
        known = [at_ms] if at_ms is not None else dated
        span = (min(known) - AROUND_MS, max(known) + AROUND_MS) if known else (0, LAST_MS)
        bets, withdrawals = ids_of_request(self._books.execute, request_id, *span)
        for bet_id in bets:
            self._bet(bet_id)
        for id_ in withdrawals:
            self._withdrawal(id_)
        if (bets or withdrawals) and not known:
            self._story.notes.append(
                "the bet is found by five letters of its id alone: --at says when, and rules out others"
            )
        return bool(bets or withdrawals or dated)

    def _tell_stream(self, commits: Sequence[tuple[int, int]]) -> dict[int, int]:
        told = told_at_ms(self._redis, commits) if self._redis else {}
        new = [Step(ms, "stream", f"told of commit {number}") for number, ms in told.items()]
        self._story.steps += [step for step in new if step not in self._story.steps]
        return told

    def _own_logs(self) -> list[Path]:
        # Standard input can be read but once, and is kept for the story's own lines.
        return [path for path in self._logs if str(path) != "-"]

    def _tell_logs(self) -> None:
        story = self._story
        for line in lines_about([*self._words, *story.bets], self._logs):
            if line.at_ms is None:
                story.undated.append(line)
            else:
                story.steps.append(Step(line.at_ms, line.process, f"log: {line.text}"))
