"""The process `functions` with the scheduler: schedules, messages, retries, limits in flight, kills, what is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.clock import SystemClock
from runtime.messaging.messages import send_message
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate
from runtime.triggers import Message
from tests.jobs.triggers.folder import Folder
from tests.waiting import wait_until

BEAT = '@every("1 s")\ndef beat(run: Run[None]) -> None:\n    """Beat."""\n    run.redis.rpush("beats", run.id)\n'
MAIL = '''class Mail(Message, frozen=True):
    """A mail."""

    text: str


@on_queue("mails", body=Mail, in_flight=2, retries=1, backoff_s=1)
def mail(run: Run[Mail]) -> None:
    """Take a mail."""
    run.redis.rpush("mails", f"{run.body.text} {run.attempt}")
    run.redis.blpop([run.body.text], timeout=10)
    if run.body.text == "bad" or (run.body.text == "late" and run.attempt == 1):
        raise ValueError("cannot")
'''
HEARD = '@on_event("bet")\ndef heard(run: Run[Event]) -> None:\n    """Hear."""\n'


class Mail(Message, frozen=True):
    """A message of the sample."""

    text: str


@pytest.fixture
def folder(tmp_path: Path, redis_url: str) -> Folder:
    """Return a folder with a function of each kind, over a database that is there."""
    folder = Folder(tmp_path, redis_url)
    migrate(folder.data / "taptrade.db", LEDGER_MIGRATIONS, SystemClock())
    for name, source in (("beat", BEAT), ("mail", MAIL), ("heard", HEARD)):
        folder.write(name, source)
    return folder


def send(client: Any, text: str) -> None:
    """Send a mail."""
    send_message(client, "mails", Mail(text), SystemClock().now_ms())


def taken(client: Any) -> list[str]:
    """Return the mails that were begun, with their attempts."""
    return [one.decode() for one in client.lrange("mails", 0, -1)]


def test_what_is_declared_runs_within_its_limits_and_what_is_gone_is_unregistered(
    folder: Folder, redis_client: Any
) -> None:
    with folder.serving("scheduler"), folder.serving("functions") as first:
        # On a busy machine one may come twice: at least once is what is promised.
        wait_until(lambda: len(set(redis_client.lrange("beats", 0, -1))) >= 2, 20, what="two beats")
        for text in ("a", "b", "c"):
            send(redis_client, text)
        wait_until(lambda: len(taken(redis_client)) == 2, what="two mails")
        assert redis_client.llen("rq:queue:mails") == 1  # one more than may be in flight
        for text in ("a", "b", "c"):
            redis_client.rpush(text, "go on")
        wait_until(lambda: len(taken(redis_client)) == 3, what="the third mail")
        for text in ("late", "bad"):
            redis_client.rpush(text, *("go on",) * 2)
            send(redis_client, text)
        wait_until(lambda: redis_client.zcard("rq:failed:mails") == 1, what="a mail that is given up")
        wait_until(lambda: {"late 2", "bad 2"} <= set(taken(redis_client)), what="the second attempts")
        assert redis_client.hget("jobs:seen", "beat")
        send(redis_client, "killed")
        wait_until(lambda: "killed 1" in taken(redis_client), what="a mail that is begun")
        first.kill()
    folder.remove("beat")
    folder.remove("heard")
    with folder.serving("scheduler"), folder.serving("functions"):
        redis_client.rpush("killed", "go on")
        wait_until(lambda: taken(redis_client).count("killed 1") == 2, 20, what="the mail that was begun")
        wait_until(lambda: redis_client.zscore("rq:scheduler:scheduled_jobs", "beat") is None, what="the scheduler")
        wait_until(lambda: not redis_client.hexists("jobs:seen", "beat"), what="the watchdog")
        assert b"rq:queue:functions.beat" not in redis_client.smembers("rq:queues")
        assert "told of nothing any more: heard" in (folder.data / "functions.log").read_text()
