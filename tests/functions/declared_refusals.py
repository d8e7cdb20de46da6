"""Hold every refusal that a test meets to what the interface says of its code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from runtime.errors import OwnRefusal, Refusal
from runtime.records.refusals import PROBLEMS
from runtime.web.openapi import code_of
from runtime.web.problem import Problem, problem_of

TYPES = {code_of(one): one for one in PROBLEMS}


@contextmanager
def held_to_their_types() -> Iterator[None]:
    """Raise, which answers 500, where a refusal carries other fields than its code's type declares."""
    written = Refusal.problem

    def problem(self: Refusal, request_id: str) -> dict[str, Any]:
        found = written(self, request_id)
        kind = problem_of(type(self)) if isinstance(self, OwnRefusal) else TYPES.get(self.code, Problem)
        shown = msgspec.json.decode(msgspec.json.encode(found))
        read = msgspec.to_builtins(msgspec.convert(shown, kind))
        assert read.keys() == shown.keys(), (self.code, read.keys() ^ shown.keys())
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Refusal, "problem", problem)
        yield
