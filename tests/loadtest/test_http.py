"""Answers read from a buffer, and requests written."""

from __future__ import annotations

import pytest

from loadtest.open_loop import HEAD_BYTES_MAX, Unreadable, head_of, problem_code, request_of, split_answer

ANSWER = b"HTTP/1.1 201 Created\r\nServer: nginx\r\nContent-Length: 2\r\nX-Request-Id: a\r\n\r\n{}"


def test_whole_answer_is_split() -> None:
    assert split_answer(ANSWER) == (201, b"{}")


@pytest.mark.parametrize("length", range(len(ANSWER)))
def test_part_of_an_answer_is_waited_for(length: int) -> None:
    assert split_answer(ANSWER[:length]) is None


def test_length_is_found_in_any_case() -> None:
    assert split_answer(b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n") == (429, b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="no length"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="another protocol"),
        pytest.param(b"x" * (HEAD_BYTES_MAX + 1), id="endless head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n\r\nContent-Length: 0", id="length in the body"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        split_answer(data)


def test_requests_are_complete() -> None:
    head = head_of("POST", "/api/bets", "127.0.0.1:8000", "abc")
    assert head.startswith(b"POST /api/bets HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert b"Authorization: Bearer abc\r\n" in head
    assert request_of(head, b'{"a":1}').endswith(b'Content-Length: 7\r\n\r\n{"a":1}')
    assert request_of(head_of("GET", "/api/time", "a")).endswith(b"\r\n\r\n")


def test_errors_are_counted_by_code_or_status() -> None:
    assert problem_code(409, b'{"status":409,"code":"CELL_CLOSED"}') == "CELL_CLOSED"
    assert problem_code(502, b"<html>") == "HTTP_502"
