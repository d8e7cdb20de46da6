"""What nginx refuses by itself: every status that it may make is a problem, as the API's are."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from falcon import code_to_http_status

from runtime.error_codes import plain_code
from tests.nginx.answers import problem, raw
from tests.nginx.conftest import NGINX, running_edge
from tests.nginx.stand_in import StandIn


def test_an_address_too_long_is_refused(client: httpx.Client) -> None:
    body = problem(client.get("/" + "a" * 9_000), 414, "URI_TOO_LONG")
    assert "address" in body["detail"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close", id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: close", id="no host"),
        pytest.param(b"G\x01T / HTTP/1.1\r\nHost: a", id="odd method"),
        pytest.param(b"GET /%00 HTTP/1.1\r\nHost: a\r\nConnection: close", id="null in the path"),
        pytest.param(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\nConnection: close", id="connect"),
        pytest.param(b"PRI * HTTP/2.0", id="http 2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(
            b"POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n-3",
            id="bad chunk",
        ),
    ],
)
def test_a_malformed_request_is_refused(edge: str, head: bytes) -> None:
    body = problem(raw(edge, head + b"\r\n\r\n"), 400, "INVALID_REQUEST")
    assert body["detail"] == "The request is malformed."


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nX-Large: " + b"a" * 9_000, 431, "HEAD_TOO_LARGE", id="large field"),
        pytest.param(
            b"GET / HTTP/1.1" + b"\r\nX-Large: %b" % (b"a" * 7_000) * 5, 431, "HEAD_TOO_LARGE", id="large head"
        ),
        pytest.param(b"GET /" + b"a" * 9_000 + b" HTTP/1.1", 414, "URI_TOO_LONG", id="long address"),
        pytest.param(b"TRACE / HTTP/1.1", 405, "METHOD_NOT_ALLOWED", id="trace"),
        pytest.param(b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip", 501, "INVALID_REQUEST", id="unknown coding"),
        pytest.param(b"GET / HTTP/2.0", 505, "INVALID_REQUEST", id="unknown version"),
    ],
)
def test_what_nginx_does_not_do_is_a_problem(edge: str, head: bytes, status: int, code: str) -> None:
    problem(raw(edge, head + b"\r\nHost: a\r\nConnection: close\r\n\r\n"), status, code)


def test_every_status_of_which_nginx_has_a_page_is_a_problem_instead(stand_in: StandIn, tmp_path: Path) -> None:
    assert NGINX
    pages = {int(status) for status in re.findall(rb"<title>([45]\d\d) ", Path(NGINX).read_bytes())}
    # How nginx calls a head that is too large, the certificates it does not like, and a request without TLS.
    # It closes the connection of a request that does not come in time, for which it has a page too.
    sent = {status: status for status in pages - {408}} | {494: 431, 495: 400, 496: 400, 497: 400}
    made = "".join(f"location = /made/{status} {{ return {status}; }}\n" for status in sent)
    with (
        running_edge(
            tmp_path, stand_in.port, (("nginx.conf", "location = /_edge {", f"{made}location = /_edge {{"),)
        ) as url,
        httpx.Client(base_url=url) as client,
    ):
        for made_status, status in sent.items():
            answer = client.get(f"/made/{made_status}", headers={"X-Forwarded-For": "10.0.0.1"})
            code = {402: "INVALID_REQUEST", 502: "UNAVAILABLE", 503: "OVERLOADED", 504: "UNAVAILABLE"}.get(
                status, plain_code(status)
            )
            body = problem(answer, status, code, retryable=status in (429, 502, 503, 504))
            assert body["title"] == code_to_http_status(status)[4:]
    assert len(pages) > 20
