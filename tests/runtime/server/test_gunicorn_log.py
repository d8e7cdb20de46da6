"""gunicorn's own log: lines of JSON without secrets, text where people look on."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from runtime.server.gunicorn_log import GunicornLog


@pytest.fixture
def _restored() -> Iterator[None]:
    """Put gunicorn's loggers back after the test."""
    logs = [logging.getLogger(name) for name in ("gunicorn.error", "gunicorn.access")]
    before = [(log.handlers[:], log.level, log.propagate) for log in logs]
    yield
    for log, (handlers, level, propagate) in zip(logs, before, strict=True):
        log.handlers, log.level, log.propagate = handlers, level, propagate


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("terminal", [False, True])
def test_what_gunicorn_says_of_itself(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", stream)
    GunicornLog(Config()).warning("odd request, token=%s", "abc")
    said = stream.getvalue()
    assert said.count("\n") == 1
    if terminal:
        assert "[WARNING] odd request" in said
    else:
        line = json.loads(said)
        assert (line["process"], line["level"], line["message"]) == ("api", "WARNING", "odd request, token=***")
