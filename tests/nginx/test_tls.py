"""The edge with a certificate: HTTP/2 and http beside it, what is sent to https, and certificates that will not do."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from taptrade.certificate import write
from tests.nginx.answers import problem, raw
from tests.nginx.conftest import ROOT, SMALLER, free_port, running_edge
from tests.nginx.stand_in import StandIn
from tests.waiting import wait_until

NAMES = ("localhost", "127.0.0.1")
OUTSIDER = {"X-Forwarded-For": "203.0.113.7"}
STREAMS = 10
ROOMY = tuple(change for change in SMALLER if change[1] in ("max_conns=500;", "proxy_read_timeout 20s;"))


@dataclass(frozen=True)
class Edge:
    """A running edge that speaks TLS."""

    http: str
    https: str
    folder: Path
    certificates: Path

    @contextmanager
    def client(self, *, http2: bool = True) -> Iterator[httpx.Client]:
        """Open a client that trusts the newest authority and nobody else."""
        trusting = ssl.create_default_context(cafile=str(self.certificates / "authority.pem"))
        with httpx.Client(base_url=self.https, http2=http2, verify=trusting, timeout=10) as opened:
            yield opened


@contextmanager
def running(folder: Path, api_port: int, **variables: str) -> Iterator[Edge]:
    """Run an edge with a new certificate."""
    certificates, port = folder / "tls", free_port()
    certificates.mkdir()
    write(certificates, NAMES, datetime.now(UTC))
    given = {"EDGE_TLS": str(certificates), "EDGE_TLS_LISTEN": f"127.0.0.1:{port}", "EDGE_TLS_PORT": str(port)}
    with running_edge(folder / "edge", api_port, ROOMY, **given, **variables) as http:
        yield Edge(http, f"https://127.0.0.1:{port}", folder / "edge", certificates)


@pytest.fixture(scope="module")
def edge(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Run an edge with a certificate for all tests."""
    with running(tmp_path_factory.mktemp("tls"), stand_in.port) as started:
        yield started


def test_ten_streams_and_a_bet_go_over_one_connection(edge: Edge, stand_in: StandIn) -> None:
    stand_in.go_on.clear()
    with edge.client() as client, ExitStack() as stack:
        answers = [stack.enter_context(client.stream("GET", "/api/stream", headers=OUTSIDER)) for _ in range(STREAMS)]
        lines = [answer.iter_lines() for answer in answers]
        assert [next(one) for one in lines] == ["event: hello"] * STREAMS
        bet = client.post("/api/bets", json={}, headers=OUTSIDER)
        assert (bet.status_code, bet.http_version) == (200, "HTTP/2")
        streams = {one.extensions["network_stream"].get_extra_info("client_addr") for one in [*answers, bet]}
        assert len(streams) == 1
        stand_in.go_on.set()
        assert all("data: 2" in list(one) for one in lines)


def test_the_api_is_told_of_https_and_the_name_whatever_the_client_says(edge: Edge) -> None:
    for http2 in (True, False):
        with edge.client(http2=http2) as client:
            answer = client.post("/api/bets", json={}, headers={"X-Forwarded-Proto": "http", "X-Request-Id": "mine"})
            got = answer.json()["headers"]
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            assert (got["x-forwarded-proto"], got["host"]) == ("https", edge.https.removeprefix("https://"))
            assert answer.headers["x-request-id"] == "mine"
            assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_tls_is_spoken_from_1_2_on(edge: Edge, version: ssl.TLSVersion, spoken: bool) -> None:
    context = ssl.create_default_context(cafile=str(edge.certificates / "authority.pem"))
    # Python warns of the old one, and OpenSSL speaks it only where it is asked to be weak.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1") if not spoken else ExitStack():
        context.minimum_version = context.maximum_version = version
    with httpx.Client(base_url=edge.https, verify=context) as client:
        if spoken:
            assert client.get("/api/time").status_code == 200
        else:
            with pytest.raises(httpx.ConnectError, match=r"protocol version|PROTOCOL_VERSION"):
                client.get("/api/time")


@pytest.mark.parametrize("path", ["/", "/api/grid?a=1&b=%2F", "/bets/01ABC", "/page/main.js", "/healthzz"])
def test_http_is_sent_to_https(edge: Edge, stand_in: StandIn, path: str) -> None:
    before = len(stand_in.requests)
    with httpx.Client(base_url=edge.http) as client:
        for method in ("GET", "POST"):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["location"]) == (308, f"{edge.https}{path}")
        # A proxy in front that holds a certificate too says so.
        assert client.get(path, headers={"X-Forwarded-Proto": "https"}).status_code != 308
    assert len(stand_in.requests) - before <= 1


def test_health_and_an_issuers_challenge_are_answered_over_http(edge: Edge) -> None:
    challenges = edge.certificates / "acme" / ".well-known" / "acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / "token").write_text("proof", encoding="ascii")
    with httpx.Client(base_url=edge.http) as client:
        assert [client.get(path).status_code for path in ("/healthz", "/readyz?verbose=1", "/metrics")] == [200] * 3
        assert client.get("/_edge").status_code == 204
        assert client.get("/.well-known/acme-challenge/token").text == "proof"
        problem(client.get("/.well-known/acme-challenge/other"), 404, "NOT_FOUND")
        # What is refused is told, not sent elsewhere.
        problem(client.get("/healthz", headers=OUTSIDER), 403, "FORBIDDEN")
    problem(raw(edge.http, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400, "INVALID_REQUEST")


def test_http_spoken_to_the_port_of_https_is_a_problem(edge: Edge) -> None:
    problem(httpx.get(edge.https.replace("https", "http")), 400, "INVALID_REQUEST")


def test_a_renewed_certificate_is_served_after_a_reload_and_what_is_under_way_goes_on(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.go_on.clear()
    with running(tmp_path, stand_in.port, EDGE_HSTS_S="300") as edge, ExitStack() as stack:
        # This client gives up what is under way on HTTP/2 when it is told that nothing more will be taken.
        client = stack.enter_context(edge.client(http2=False))
        answer = stack.enter_context(client.stream("GET", "/api/stream"))
        assert answer.headers["strict-transport-security"] == "max-age=300"
        lines = answer.iter_lines()
        assert next(lines) == "event: hello"
        master = int((edge.folder / "nginx.pid").read_text())
        write(edge.certificates, NAMES, datetime.now(UTC))
        os.kill(master, signal.SIGHUP)
        with edge.client() as renewed:
            # Until the reload has happened, the authority of the new one is not that of what is served.
            wait_until(lambda: trusts(renewed), what="the new certificate")
            assert renewed.get("/").headers.get_list("strict-transport-security") == ["max-age=300"]
        stand_in.go_on.set()
        assert "data: 2" in list(lines)


def trusts(client: httpx.Client) -> bool:
    """Tell whether a client trusts what is served."""
    try:
        return client.get("/_edge").status_code == 204
    except httpx.ConnectError:
        return False


def refusal(folder: Path, **variables: str) -> str:
    """Return what `nginx/tls` says of a start that it ends."""
    done = subprocess.run(
        [ROOT / "nginx" / "tls", folder], env={"PATH": os.environ["PATH"]} | variables, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, b"")
    [line] = done.stderr.decode().splitlines()
    return line.removeprefix("nginx/tls: ").replace(f"{folder}/", "")


def test_a_certificate_that_cannot_be_served_ends_the_start(tmp_path: Path) -> None:
    assert refusal(tmp_path, EDGE_TLS=str(tmp_path)) == "fullchain.pem: there is no such file"
    write(tmp_path, NAMES, datetime.now(UTC))
    (tmp_path / "fullchain.pem").rename(tmp_path / "older.pem")
    key = (tmp_path / "privkey.pem").read_bytes()
    write(tmp_path, NAMES, datetime.now(UTC))
    (tmp_path / "older.pem").rename(tmp_path / "fullchain.pem")
    assert refusal(tmp_path, EDGE_TLS=str(tmp_path)) == "privkey.pem is not the key of fullchain.pem"
    (tmp_path / "privkey.pem").write_bytes(b"nothing")
    assert refusal(tmp_path, EDGE_TLS=str(tmp_path)).startswith("privkey.pem: no key can be read from it")
    (tmp_path / "privkey.pem").write_bytes(key)
    (tmp_path / "fullchain.pem").write_bytes(key)
    assert refusal(tmp_path, EDGE_TLS=str(tmp_path)) == "fullchain.pem: no certificate can be read from it"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"EDGE_HSTS_S": "300"}, "EDGE_HSTS_S is set without EDGE_TLS: who holds the certificate sends HSTS"),
        ({"EDGE_TLS": "/a b"}, "EDGE_TLS=/a b: only letters, digits and / . _ + - are possible"),
        ({"EDGE_TLS": "/a", "EDGE_HSTS_S": "1y"}, "EDGE_HSTS_S=1y: must be a number of seconds, such as 31536000"),
        ({"EDGE_TLS": "/a", "EDGE_TLS_PORT": "4;"}, "EDGE_TLS_PORT=4;: must be a port, such as 443"),
    ],
)
def test_a_setting_that_cannot_stand_in_the_configuration_ends_the_start(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    assert refusal(tmp_path, **variables) == sentence


@pytest.mark.parametrize(
    ("version", "first"),
    [
        ("1.22.1", "listen 8443 ssl http2 backlog=4096;"),
        ("1.25.0", "listen 8443 ssl http2 backlog=4096;"),
        ("1.25.1", "listen 8443 ssl backlog=4096; http2 on;"),
        ("1.30.0 (Debian)", "listen 8443 ssl backlog=4096; http2 on;"),
    ],
)
def test_http2_is_asked_for_as_this_nginx_wants_it(tmp_path: Path, version: str, first: str) -> None:
    write(tmp_path, NAMES, datetime.now(UTC))
    nginx = tmp_path / "nginx"
    nginx.write_text(f"#!/bin/sh\necho 'nginx version: nginx/{version}' >&2\n", encoding="ascii")
    nginx.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "EDGE_TLS": str(tmp_path)}
    subprocess.run([ROOT / "nginx" / "tls", tmp_path], env=path, check=True)
    assert (tmp_path / "tls_listen.conf").read_text().splitlines()[0] == first
