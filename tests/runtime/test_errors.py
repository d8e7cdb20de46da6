"""Errors: a refusal's status is that of its code, and a code that is in no table cannot be raised."""

from __future__ import annotations

import pytest

from runtime.error_codes import CODES
from runtime.errors import Conflict, NotFound, Refusal, Unavailable


@pytest.mark.parametrize("code", CODES)
def test_status_and_retryable_are_those_of_the_code(code: str) -> None:
    refusal = Conflict("A sentence.", code=code)
    problem = refusal.problem("r1")
    assert (refusal.status, refusal.retryable) == (CODES[code].status, CODES[code].retryable)
    assert (problem["status"], problem["code"], problem["retryable"]) == (refusal.status, code, refusal.retryable)


def test_an_unknown_code_raises_where_it_is_used() -> None:
    with pytest.raises(ValueError, match="unknown error code 'NO_SUCH'"):
        Refusal("A sentence.", code="NO_SUCH")


@pytest.mark.parametrize(("kind", "status"), [(NotFound, 404), (Conflict, 409), (Unavailable, 503)])
def test_a_class_brings_its_code_and_sentence(kind: type[Refusal], status: int) -> None:
    assert (kind().status, kind().detail) == (status, kind.__doc__)


@pytest.mark.parametrize("kind", Refusal.__subclasses__())
def test_every_class_has_a_known_code(kind: type[Refusal]) -> None:
    assert kind.default_code in CODES
