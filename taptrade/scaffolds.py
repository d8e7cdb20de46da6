"""What `taptrade new` writes: a function of each kind and its test. The words in capitals are filled in.

NAME is the function's, in the words CLASS and CODE too; METHOD and VALUE are what it is declared with. ASKED is a route
whose fields are filled, EVENTS what an event function is told of, and KIND one of these.
"""

from __future__ import annotations

from typing import NamedTuple


class Scaffold(NamedTuple):
    """A function and its test, and the JSON to invoke it with."""

    function: str
    test: str
    data: str = ""


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
BET = Scaffold(
    function='''
"""On VALUE: note the bet."""

from __future__ import annotations

import logging

from runtime.records.views import BetView
from runtime.triggers import Event, Run, on_event

KEY = "NAME:bets"

logger = logging.getLogger(__name__)


@on_event("EVENTS", timeout_s=10)
def NAME(run: Run[Event]) -> str:
    """Note the bet in a set: the same event may come again, and changes nothing then."""
    bet = run.body.read(BetView)
    run.redis.sadd(KEY, bet.id)
    logger.info("bet %s of %d cents: %s", bet.id, bet.amount, bet.status)
    return bet.id
''',
    test='''
"""On VALUE."""

from __future__ import annotations

from functions.NAME import KEY
from taptrade.trial import Trial


def test_the_bet_is_noted_once_however_often_it_is_told(trial: Trial) -> None:
    event = trial.event("KIND")
    assert [trial.run("NAME", event) for _ in range(2)] == [event.data["id"]] * 2
    assert trial.redis.scard(KEY) == 1
''',
)
EVENT = Scaffold(
    function='''
"""On VALUE: keep the id of the last event."""

from __future__ import annotations

import logging

from runtime.triggers import Event, Run, on_event

KEY = "NAME:last"

logger = logging.getLogger(__name__)


@on_event("EVENTS", timeout_s=10)
def NAME(run: Run[Event]) -> str:
    """Keep the event's id; the same event may come again, with the same id."""
    run.redis.set(KEY, run.body.id)
    logger.info("%s: %s", run.body.kind, run.body.data)
    return run.body.id
''',
    test='''
"""On VALUE."""

from __future__ import annotations

from functions.NAME import KEY
from taptrade.trial import Trial


def test_the_event_is_kept_however_often_it_comes(trial: Trial) -> None:
    event = trial.event("KIND")
    assert [trial.run("NAME", event) for _ in range(2)] == [event.id, event.id]
    assert trial.redis.get(KEY) == event.id.encode()
''',
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
