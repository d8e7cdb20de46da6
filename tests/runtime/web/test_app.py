"""The app: answers out, problem+json with stable codes for everything else, ids, counts and streams."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from falcon import testing

from runtime.errors import Unavailable
from runtime.function_files import DiscoveryError
from runtime.web.discovery import discover
from tests.runtime.web.sample_app import BEARER, GOOD, NOW_MS, WALLET, SampleApp, build, problem

TAP = {"cell": "1_2_3", "amount": 100}


@pytest.fixture
def sample() -> SampleApp:
    """Return the app over the good samples."""
    return build()


def test_falcons_own_errors_are_problems_too(sample: SampleApp) -> None:
    problem(sample.call("GET", "/api/nothing"), 404, "NOT_FOUND")
    problem(sample.call("GET", "/api/notes/one"), 404, "NOT_FOUND")
    answer = sample.call("DELETE", "/api/taps")
    problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST, OPTIONS"


def test_head_is_a_get_without_the_body(sample: SampleApp) -> None:
    got, head = (sample.call(method, "/api/notes/1") for method in ("GET", "HEAD"))

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]
    assert sample.call("HEAD", "/api/taps").status_code == 405


def test_no_session_is_401_with_the_way_to_sign_in(sample: SampleApp) -> None:
    answer = sample.call("POST", "/api/taps", json=TAP)

    problem(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="taptrade"'


def test_an_optional_session_may_be_missing(sample: SampleApp) -> None:
    assert sample.call("GET", "/api/whoami").json == {"wallet": None}
    assert sample.call("GET", "/api/whoami", headers=BEARER).json == {"wallet": WALLET}


def test_a_refusal_carries_its_arguments(sample: SampleApp) -> None:
    body = problem(sample.send("POST", "/api/taps", TAP | {"cell": "moved"}), 409, "RATE_MOVED")

    assert (body["floor"], body["rate_bp"], body["grid_version"], body["retryable"]) == (18_000, 17_000, 7, False)


def test_a_guard_refuses_before_anybody_asks_who_it_is_and_before_the_body_is_read() -> None:
    def closed() -> None:
        raise Unavailable("No price.", code="PRICE_FEED_STALE", retry_after_s=7)

    sample = build(guards={"breaker": closed})
    answer = sample.call("POST", "/api/taps", body="no tap")

    assert problem(answer, 503, "PRICE_FEED_STALE")["retryable"] is True
    assert answer.headers["retry-after"] == "7"


def test_replies_choose_status_media_type_and_headers(sample: SampleApp) -> None:
    wrote = sample.send("PUT", "/api/notes/3", {"text": "new"})
    csv = sample.call("GET", "/api/trouble/csv")
    gone = sample.call("GET", "/api/trouble/gone")

    assert (wrote.json, wrote.headers["x-wrote"]) == ({"id": 3, "text": "new"}, "yes")
    assert wrote.headers["cache-control"] == "no-cache"
    assert (csv.text, csv.headers["content-type"]) == ("a,b\n1,2\n", "text/csv")
    assert (gone.status_code, gone.content) == (404, b"")
    assert sample.call("DELETE", "/api/notes/3", headers=BEARER).status_code == 204


@pytest.mark.parametrize("kind", ["crash", "text", "unwritable"])
def test_a_crash_is_500_that_says_nothing_and_a_log_that_says_all(
    sample: SampleApp, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    with caplog.at_level(logging.ERROR):
        body = problem(sample.call("GET", f"/api/trouble/{kind}"), 500, "INTERNAL_ERROR")

    assert "inside" not in json.dumps(body)
    assert f"unhandled error in GET /api/trouble/{kind}" in caplog.text
    assert caplog.records[0].exc_info is not None


def test_an_outage_that_a_handler_lets_pass_is_503(sample: SampleApp, caplog: pytest.LogCaptureFixture) -> None:
    answer = sample.call("GET", "/api/trouble/outage")

    assert "hunter2" not in json.dumps(problem(answer, 503, "UNAVAILABLE"))
    assert answer.headers["retry-after"] == "1"
    assert "PartAwayError" in caplog.text


def test_every_answer_has_an_id_and_a_decent_one_is_kept(sample: SampleApp) -> None:
    first, second = (sample.call("GET", "/api/whoami").headers["x-request-id"] for _ in range(2))
    kept = sample.call("GET", "/api/greet?name=a", headers={"X-Request-Id": "a.b-C_9"})
    long, odd, empty = (
        sample.call("GET", "/api/whoami", headers={"X-Request-Id": given}).headers["x-request-id"]
        for given in ("a" * 65, "a b\tc", "")
    )

    assert first != second
    assert len(first) == 16
    assert kept.headers["x-request-id"] == kept.json["request_id"] == "a.b-C_9"
    assert all(len(made) == 16 for made in (long, odd, empty))


def test_nothing_is_stored_or_sniffed(sample: SampleApp) -> None:
    for path in ("/api/whoami", "/api/nothing"):
        headers = sample.call("GET", path).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_requests_and_error_codes_are_counted_by_function(sample: SampleApp) -> None:
    declared = sample.metrics.snapshot(1, NOW_MS).counters["taptrade_errors_total"]
    assert declared["tap\x1fRATE_MOVED"] == 0, "the first of them is one more than before"
    sample.send("POST", "/api/taps", TAP)
    sample.send("POST", "/api/taps", TAP | {"cell": "moved"})
    sample.call("GET", "/api/nothing")

    counters = sample.metrics.snapshot(1, NOW_MS).counters

    assert counters["taptrade_requests_total"] == {"tap\x1f201": 1, "tap\x1f409": 1, "none\x1f404": 1}
    assert counters["taptrade_errors_total"] == declared | {"tap\x1fRATE_MOVED": 1, "none\x1fNOT_FOUND": 1}


def test_a_stream_is_sent_piece_by_piece_and_closed_when_the_client_goes(sample: SampleApp) -> None:
    pieces: Any = sample.client.app(testing.create_environ("/api/ticker"), testing.StartResponseMock())

    assert [next(pieces) for _ in range(3)] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
    assert sample.parts.open == 1
    pieces.close()
    assert sample.parts.open == 0


def test_a_stream_is_neither_buffered_nor_cached_nor_left_open_by_head(sample: SampleApp) -> None:
    head = sample.call("HEAD", "/api/ticker")

    assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert head.headers["x-accel-buffering"] == "no"
    assert head.headers["cache-control"] == "no-cache, no-transform"
    assert sample.parts.open == 0


def test_a_route_that_falcon_refuses_is_named_with_its_file() -> None:
    read = next(one for one in discover(GOOD) if one.name == "notes.read")
    twin = replace(read, method="DELETE", route="/api/notes/{other}", file="twin.py")

    with pytest.raises(DiscoveryError, match=r"twin\.py: route /api/notes/\{other\} cannot be added"):
        build((read, twin))
