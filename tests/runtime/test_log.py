"""Logging: one JSON object a line, with the request's id, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.log import FUNCTION, JSON_ALWAYS, REQUEST_ID, SAME_LINES_MAX, configure, redact

SIGNATURE = "0x" + "ab" * 65
PRIVATE_KEY = "0x" + "0123456789abcdef" * 4
TOKEN = "q5J1kx0Zq5J1kx0Zq5J1kx0Zq5J1kx0Zq5J1kx0Z123"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Return what is logged, and put the root logger back after the test."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    stream = io.StringIO()
    configure("api", "INFO", stream)
    outside, function = REQUEST_ID.set(""), FUNCTION.set("")
    yield stream
    REQUEST_ID.reset(outside)
    FUNCTION.reset(function)
    root.handlers, root.level = before, level


def logged(lines: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(lines.getvalue())
    return line


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.usefixtures("lines")
def test_a_terminal_gets_text() -> None:
    screen = Terminal()
    configure("api", "INFO", screen)
    REQUEST_ID.set("r1")
    FUNCTION.set("odd_one")
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("x").exception("no token=abc", extra={"fields": {"ms": 3, "token": "abc"}})
    first, *rest = screen.getvalue().splitlines()
    assert first.partition(" ")[2] == "ERROR api: no token=*** request_id=r1 function=odd_one ms=3 token=***"
    assert rest[-1] == "ValueError: odd"


@pytest.mark.usefixtures("lines")
def test_a_terminal_gets_json_where_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setenv(JSON_ALWAYS, "1")
    configure("api", "INFO", screen)
    logging.getLogger("x").info("well")
    assert json.loads(screen.getvalue())["message"] == "well"


def test_a_record_is_one_line_of_json(lines: io.StringIO) -> None:
    logging.getLogger("runtime.here").warning("two\nlines of %s", "ü", extra={"fields": {"bet": "b1", "ms": 3}})

    line = logged(lines)

    assert lines.getvalue().count("\n") == 1
    assert (line["level"], line["process"], line["logger"]) == ("WARNING", "api", "runtime.here")
    assert (line["message"], line["bet"], line["ms"]) == ("two\nlines of ü", "b1", 3)
    assert line["time"].endswith("Z")
    assert len(line["time"]) == len("2026-01-01T00:00:00.000Z")
    assert "request_id" not in line


def test_the_request_that_is_answered_is_named(lines: io.StringIO) -> None:
    token = REQUEST_ID.set("req-7")
    try:
        logging.getLogger("x").info("hello")
    finally:
        REQUEST_ID.reset(token)

    assert logged(lines)["request_id"] == "req-7"


def test_less_than_the_level_is_not_written(lines: io.StringIO) -> None:
    logging.getLogger("x").debug("hello")

    assert lines.getvalue() == ""


def test_a_traceback_is_in_the_line_without_its_secrets(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"bad signature {SIGNATURE} of Bearer {TOKEN}")
    except ValueError:
        logging.getLogger("x").exception("failed")

    line = logged(lines)

    assert "ValueError: bad signature ***" in line["traceback"]
    assert SIGNATURE not in lines.getvalue()
    assert TOKEN not in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"Authorization: Bearer {TOKEN}", id="header"),
        pytest.param(f"authorization=bearer {TOKEN}", id="header in small letters"),
        pytest.param(f"{{'Authorization': 'Bearer {TOKEN}'}}", id="dictionary of headers"),
        pytest.param(f"Cookie: taptrade_session={TOKEN}; theme=dark", id="cookie"),
        pytest.param(f"Set-Cookie: taptrade_session={TOKEN}; HttpOnly", id="set-cookie"),
        pytest.param(f'{{"token":"{TOKEN}","user":1}}', id="answer of the login"),
        pytest.param(f'{{"signature": "{SIGNATURE}"}}', id="signature in a body"),
        pytest.param(f"recover({SIGNATURE})", id="bare signature"),
        pytest.param(f"key {PRIVATE_KEY}", id="private key"),
        pytest.param("redis://:hunter2hunter2@10.0.0.1:6379/0", id="Redis URL"),
        pytest.param("redis://user:hunter2hunter2@10.0.0.1:6379/0", id="Redis URL with a user"),
        pytest.param("password=hunter2hunter2", id="password"),
        pytest.param(f"GET /api/bets/{TOKEN}", id="token in a path"),
        pytest.param(f"('SELECT id FROM bets WHERE id = ?', ('{TOKEN}',))", id="token in a query"),
    ],
)
def test_secrets_become_stars(text: str) -> None:
    shown = redact(text)

    assert "***" in shown
    for secret in (TOKEN, SIGNATURE[2:], PRIVATE_KEY[2:], "hunter2"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "bet 01J9ZC5D7W8X9Y0Z1A2B3C4D5E placed by 0x" + "ab" * 20,
        "redis://127.0.0.1:6379/0 answers",
        "cell 1790000000_6700000_6700500 at 12:30:45",
        "the signature is wrong",
        "in a_function_whose_name_has_43_letters_in_all",
        "a hash " + "ab" * 32,
    ],
)
def test_ordinary_sentences_stay(text: str) -> None:
    assert redact(text) == text


def test_fields_with_secret_names_are_hidden(lines: io.StringIO) -> None:
    fields = {"Authorization": "x1", "session_token": "x2", "redis_password": "x3", "address": "kept"}
    logging.getLogger("x").info("hello", extra={"fields": fields})

    line = logged(lines)

    assert [line[name] for name in fields] == ["***", "***", "***", "kept"]


def test_the_same_trouble_is_told_a_few_times_a_minute_and_how_many_were_left_out(lines: io.StringIO) -> None:
    def fail(times: int, after_s: int, level: int = logging.WARNING) -> list[Any]:
        lines.truncate(lines.seek(0))
        for _ in range(times):
            record = logging.LogRecord("x", level, "some.py", 7, "failed", None, None)
            record.created = 1_790_000_000 + after_s
            logging.getLogger("x").handle(record)
        return [json.loads(line).get("left_out") for line in lines.getvalue().splitlines()]

    assert fail(1000, 0) == [None] * SAME_LINES_MAX
    assert fail(1, 59) == []
    assert fail(3, 60) == [1001 - SAME_LINES_MAX, None, None]
    assert fail(3, 120) == [None, None, None]
    assert len(fail(1000, 120, logging.INFO)) == 1000


def test_other_trouble_is_told_beside_it(lines: io.StringIO) -> None:
    def fails(number: int) -> None:
        try:
            if number % 2:
                raise ValueError
            raise TypeError
        except (ValueError, TypeError):
            logging.getLogger("x").exception("failed")

    for number in range(100):
        fails(number)
    logging.getLogger("x").error("something else")
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert len(told) == 2 * SAME_LINES_MAX + 1
    assert told[-1]["message"] == "something else"


CROWD = """
from gevent import monkey
monkey.patch_all()
import logging
import gevent
from gevent.threadpool import ThreadPool
from runtime.log import configure

configure("api", "DEBUG")
pool = ThreadPool(4)

def chatter():
    for number in range(100):
        logging.getLogger("thread").info("%d", number)

def ask():
    for _ in range(10):
        logging.getLogger("greenlet").info("asks")
        pool.apply(chatter)

assert len(gevent.joinall([gevent.spawn(ask) for _ in range(20)], timeout=20)) == 20
"""


def test_threads_and_greenlets_that_log_at_once_do_not_wait_for_each_other_for_ever() -> None:
    done = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    lines = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert (lines.count("asks"), len(lines)) == (200, 20_200)
