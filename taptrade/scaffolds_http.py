"""What `taptrade new --http` writes: an endpoint that only looks, or one with a body; as in taptrade.scaffolds."""

from __future__ import annotations

from taptrade.scaffolds import Scaffold

GET = Scaffold(
    function='''
"""METHOD VALUE: say hello."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec

from runtime.clock import rfc3339
from runtime.function import Call, Query, function

logger = logging.getLogger(__name__)


class CLASSQuery(Query, frozen=True):
    """The parameters behind the `?`."""

    whom: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "you"
    """Who is greeted."""


class CLASS(msgspec.Struct, frozen=True):
    """What is answered."""

    said: str
    """The greeting."""
    said_at: str
    """When the request came, RFC 3339 in UTC."""


@function(
    "METHOD",
    "VALUE",
    auth="none",
    limits=("requests",),
    summary="Say hello",
    query=CLASSQuery,
    response=CLASS,
)
def NAME(call: Call[None]) -> CLASS:
    """Greet somebody."""
    query: CLASSQuery = call.params
    logger.info("%s was greeted", query.whom)
    return CLASS(f"Hello, {query.whom}.", rfc3339(call.received_ms))
''',
    test='''
"""METHOD VALUE."""

from __future__ import annotations

from runtime.clock import rfc3339
from taptrade.trial import Trial


def test_it_greets(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED?whom=Ada")
    assert (result.status_code, result.json) == (200, {"said": "Hello, Ada.", "said_at": rfc3339(trial.clock.now_ms())})


def test_a_parameter_that_does_not_exist_is_refused(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED?who=Ada")
    assert (result.status_code, result.json["code"]) == (400, "INVALID_REQUEST")
''',
)
POST = Scaffold(
    function='''
"""METHOD VALUE: say it again."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec

from runtime.function import Body, Call, OwnRefusal, Query, function

CHARACTERS_MAX = 200

logger = logging.getLogger(__name__)


class CLASSBody(Body, frozen=True):
    """The body, as JSON."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """What is said."""
    aloud: bool = False
    """Whether it is said in capitals."""


class CLASSQuery(Query, frozen=True):
    """The parameters behind the `?`."""

    times: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    """How often it is said."""


class CLASS(msgspec.Struct, frozen=True):
    """What is answered."""

    said: str
    """All that was said."""


class CLASSTooLong(OwnRefusal, code="CODE_TOO_LONG", status=422):
    """That is too long to be said."""

    characters_max: int
    """How many characters may be said."""


@function(
    "METHOD",
    "VALUE",
    auth="none",
    limits=("requests",),
    summary="Say it again",
    body=CLASSBody,
    query=CLASSQuery,
    response=CLASS,
    errors=(CLASSTooLong,),
)
def NAME(call: Call[CLASSBody]) -> CLASS:
    """Say a text as often as is asked."""
    query: CLASSQuery = call.params
    said = " ".join([call.body.text] * query.times)
    if len(said) > CHARACTERS_MAX:
        raise CLASSTooLong(characters_max=CHARACTERS_MAX)
    logger.info("said %d characters", len(said))
    return CLASS(said.upper() if call.body.aloud else said)
''',
    test='''
"""METHOD VALUE."""

from __future__ import annotations

from functions.NAME import CHARACTERS_MAX
from taptrade.trial import Trial


def test_it_is_said_as_often_as_is_asked(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED?times=2", {"text": "hello", "aloud": True})
    assert (result.status_code, result.json) == (200, {"said": "HELLO HELLO"})


def test_what_is_too_long_is_refused(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED?times=10", {"text": "hello " * 10})
    assert (result.status_code, result.json["code"]) == (422, "CODE_TOO_LONG")
    assert result.json["characters_max"] == CHARACTERS_MAX


def test_a_field_of_the_wrong_type_is_named(trial: Trial) -> None:
    result = trial.call("METHOD", "ASKED", {"text": 1})
    assert (result.status_code, result.json["code"], result.json["field"]) == (400, "INVALID_REQUEST", "text")
''',
    data='{"text": "hello"}',
)
