"""What `taptrade new` writes: a function of each kind and its test. NAME, CLASS and VALUE are filled in."""

from __future__ import annotations

from typing import NamedTuple


class Scaffold(NamedTuple):
    """A function and its test, and the JSON to invoke it with."""

    function: str
    test: str
    data: str = ""


HTTP = Scaffold(
    function='''
"""GET VALUE: say what time it is."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339
from runtime.function import Call, function


class CLASS(msgspec.Struct, frozen=True):
    """What is answered."""

    said: str
    """When the request came, RFC 3339 in UTC."""


@function("GET", "VALUE", auth="none", limits=("requests",), summary="Say what time it is", response=CLASS)
def NAME(call: Call[None]) -> CLASS:
    """Say what time it was when the request came."""
    return CLASS(rfc3339(call.received_ms))
''',
    test='''
"""GET VALUE."""

from __future__ import annotations

from runtime.clock import rfc3339
from taptrade.trial import Trial


def test_it_answers(trial: Trial) -> None:
    result = trial.call("GET", "VALUE")
    assert (result.status_code, result.json) == (200, {"said": rfc3339(trial.clock.now_ms())})
''',
)
EVERY = Scaffold(
    function='''
"""Every VALUE: look at how many commits there are."""

from __future__ import annotations

import logging

from runtime.records.events import last_commit
from runtime.triggers import Run, every

logger = logging.getLogger(__name__)


@every("VALUE", timeout_s=10)
def NAME(run: Run[None]) -> int:
    """Log the number of the newest commit."""
    commit = last_commit(run.database.execute)
    logger.info("commit %d is the newest", commit)
    return commit
''',
    test='''
"""Every VALUE."""

from __future__ import annotations

from taptrade.trial import Trial


def test_it_sees_the_newest_commit(trial: Trial) -> None:
    assert trial.run("NAME") == 0
    trial.sign_in()
    assert trial.run("NAME") == 1
''',
)
CRON = Scaffold(
    function=EVERY.function.replace("Every VALUE", "At VALUE (UTC)")
    .replace("import Run, every", "import Run, cron")
    .replace('@every("VALUE", timeout_s=10)', '@cron("VALUE", timeout_s=60)'),
    test=EVERY.test.replace("Every VALUE", "At VALUE (UTC)"),
)
EVENT = Scaffold(
    function='''
"""On VALUE: keep the id of the last event."""

from __future__ import annotations

from runtime.triggers import Event, Run, on_event

KEY = "NAME:last"


@on_event("VALUE", timeout_s=10)
def NAME(run: Run[Event]) -> str:
    """Keep the event's id; the same event may come again, with the same id."""
    run.redis.set(KEY, run.body.id)
    return run.body.id
''',
    test='''
"""On VALUE."""

from __future__ import annotations

from functions.NAME import KEY
from taptrade.trial import Trial


def test_the_event_is_kept_however_often_it_comes(trial: Trial) -> None:
    event = trial.event("VALUE", {"status": "any"})
    assert [trial.run("NAME", event) for _ in range(2)] == [event.id, event.id]
    assert trial.redis.get(KEY) == event.id.encode()
''',
    data='{"id": "c1.1", "kind": "VALUE", "user_id": null, "data": {}}',
)
QUEUE = Scaffold(
    function='''
"""For each message of the queue VALUE: log it. `send_message(redis, "VALUE", CLASS(...), now_ms)` sends one."""

from __future__ import annotations

import logging

from runtime.triggers import Message, Run, on_queue

logger = logging.getLogger(__name__)


class CLASS(Message, frozen=True):
    """What a message says."""

    text: str


@on_queue("VALUE", body=CLASS, timeout_s=10, in_flight=2, retries=3)
def NAME(run: Run[CLASS]) -> int:
    """Log a message, and return how long it is."""
    logger.info("said: %s", run.body.text)
    return len(run.body.text)
''',
    test='''
"""For each message of the queue VALUE."""

from __future__ import annotations

from functions.NAME import CLASS
from taptrade.trial import Trial


def test_a_message_is_taken(trial: Trial) -> None:
    assert trial.run("NAME", CLASS("hello")) == 5
''',
    data='{"text": "hello"}',
)
