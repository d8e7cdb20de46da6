"""The gate before rq-dashboard, asked over a real socket: who gets in, from where, and what may be changed."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from werkzeug.serving import WSGIRequestHandler, make_server

from jobs.dashboard.gate import READING
from jobs.dashboard.main import make_gate, rq_dashboard_app
from runtime.clock import ManualClock
from runtime.settings import load

KEY = "k" * 32
# A client makes one of its own otherwise, which takes longer than a request.
UNUSED_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CHANGING = {
    "rq_dashboard.delete_job_view",
    "rq_dashboard.requeue_job_view",
    "rq_dashboard.requeue_all",
    "rq_dashboard.empty_queue",
    "rq_dashboard.compact_queue",
}
CHANGES = [
    ("POST", "/job/some/delete"),
    ("POST", "/job/some/requeue"),
    ("POST", "/requeue/probe"),
    ("GET", "/requeue/probe"),
    ("HEAD", "/requeue/probe"),
    ("POST", "/queue/probe/queued/empty"),
    ("POST", "/queue/probe/failed/empty"),
    ("POST", "/queue/probe/compact"),
]


class Quiet(WSGIRequestHandler):
    """Logs no request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  named by werkzeug
        """Keep quiet."""


@dataclass
class Dashboard:
    """A dashboard that listens."""

    port: int
    clock: ManualClock

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        """Send a request; `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", verify=UNUSED_TLS) as client:
            form = named.pop("form", None)
            return client.request(method, path, headers=named, data=None if form is None else {"key": form})

    def sign_in(self, key: str = KEY, **headers: str) -> httpx.Response:
        """Send a key as the dashboard's own page does."""
        return self.ask("POST", "/_sign-in", form=key, **({"Sec_Fetch_Site": "same-origin"} | headers))

    def cookie(self) -> str:
        """Sign in and return what the browser sends from then on."""
        return self.sign_in().headers["Set-Cookie"].partition(";")[0]


@contextmanager
def listening(redis_url: str, **settings: str) -> Iterator[Dashboard]:
    clock = ManualClock(1)
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    variables = {
        "TAPTRADE_REDIS_URL": redis_url,
        "TAPTRADE_DASHBOARD_PORT": str(server.port),
        **{f"TAPTRADE_{name}": value for name, value in settings.items()},
    }
    server.app = make_gate(load(variables), KEY, clock)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Dashboard(server.port, clock)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def dashboard(redis_url: str) -> Iterator[Dashboard]:
    with listening(redis_url) as dashboard:
        yield dashboard


@pytest.fixture
def writable(redis_url: str) -> Iterator[Dashboard]:
    with listening(redis_url, DASHBOARD_WRITES="on") as dashboard:
        yield dashboard


@pytest.fixture
def queue(redis_client: Any) -> Queue:
    queue = Queue("probe", connection=redis_client, serializer=JSONSerializer)
    queue.enqueue("os.getpid", job_id="some")
    return queue


def test_every_route_of_rq_dashboard_is_known_to_look_or_to_change(redis_url: str) -> None:
    found = {rule.endpoint for rule in rq_dashboard_app(redis_url, writes=True).url_map.iter_rules()}
    assert found == READING | CHANGING


def test_without_a_visit_there_is_only_the_page_that_asks_for_the_key(dashboard: Dashboard, queue: Queue) -> None:
    for method, path in [("GET", "/"), ("GET", "/0/data/queues.json"), ("GET", "/static/css/main.css"), *CHANGES]:
        answer = dashboard.ask(method, path)
        assert answer.status_code == 401
        assert method == "HEAD" or 'name="key"' in answer.text
        assert "probe" not in answer.text
    assert queue.job_ids == ["some"]


def test_life_needs_no_key(dashboard: Dashboard) -> None:
    assert dashboard.ask("GET", "/_alive", Host="anything").status_code == 200


def test_the_key_opens_the_pages(dashboard: Dashboard, queue: Queue) -> None:
    answer = dashboard.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith(f"taptrade_dashboard_{dashboard.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(attributes)
    for path in ("/", "/0/view/workers", "/0/view/jobs", "/0/view/job/some"):
        shown = dashboard.ask("GET", path, Cookie=name)
        assert (shown.status_code, shown.headers["X-Frame-Options"]) == (200, "DENY")
    assert dashboard.ask("GET", "/0/data/queues.json", Cookie=name).json()["queues"][0]["name"] == queue.name
    assert dashboard.ask("GET", "/0/data/job/some.json", Cookie=name).json()["status"] == "queued"
    dashboard.clock.advance(43_200_000)
    assert dashboard.ask("GET", "/", Cookie=name).status_code == 401


def test_a_wrong_key_does_not(dashboard: Dashboard) -> None:
    answer = dashboard.sign_in("wrong")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
    assert "not the key" in answer.text
    assert dashboard.ask("GET", "/", Cookie=f"taptrade_dashboard_{dashboard.port}=wrong").status_code == 401


def test_guesses_end_in_a_wait(dashboard: Dashboard) -> None:
    assert {dashboard.sign_in(f"guess {number}").status_code for number in range(10)} == {401}
    answer = dashboard.sign_in()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    dashboard.clock.advance(60_000)
    assert dashboard.sign_in().status_code == 303


def test_a_form_that_is_too_long_is_not_read(dashboard: Dashboard) -> None:
    assert dashboard.sign_in("k" * 5_000).status_code == 413


def test_names_of_this_machine_are_known(dashboard: Dashboard) -> None:
    cookie = dashboard.cookie()
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert dashboard.ask("GET", "/", Host=f"{name}:{dashboard.port}", Cookie=cookie).status_code == 200


@pytest.mark.parametrize(
    "name", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""]
)
def test_other_names_are_refused_whoever_asks(dashboard: Dashboard, name: str) -> None:
    host, cookie = name.format(port=dashboard.port), dashboard.cookie()
    assert dashboard.ask("GET", "/", Host=host, Cookie=cookie).status_code == 403
    assert dashboard.sign_in(Host=host).status_code == 403


def test_a_name_can_be_set(redis_url: str) -> None:
    with listening(redis_url, DASHBOARD_DOMAIN="ops.example,localhost:9999") as dashboard:
        assert dashboard.ask("GET", "/", Host="ops.example").status_code == 401
        assert dashboard.ask("GET", "/", Host="127.0.0.1:9999").status_code == 401
        assert dashboard.ask("GET", "/").status_code == 403
        assert dashboard.sign_in(Host="ops.example", Origin="https://ops.example").status_code == 303


FOREIGN = [
    pytest.param({"Sec_Fetch_Site": "cross-site"}, id="cross-site"),
    pytest.param({"Sec_Fetch_Site": "same-site"}, id="another port of this machine"),
    pytest.param({"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1:{port}"}, id="two stories"),
    pytest.param({"Origin": "https://evil.example"}, id="another origin"),
    pytest.param({"Origin": "http://127.0.0.1:1"}, id="the origin of another port"),
    pytest.param({"Origin": "null"}, id="null"),
]


def filled(headers: dict[str, str], port: int) -> dict[str, str]:
    return {name: value.format(port=port) for name, value in headers.items()}


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_pages_neither_read_nor_sign_in(dashboard: Dashboard, headers: dict[str, str]) -> None:
    headers, cookie = filled(headers, dashboard.port), dashboard.cookie()
    assert dashboard.ask("GET", "/0/data/queues.json", Cookie=cookie, **headers).status_code == 403
    assert dashboard.ask("POST", "/_sign-in", form=KEY, **headers).status_code == 403


def test_a_key_without_a_word_about_the_page_is_not_taken(dashboard: Dashboard) -> None:
    assert dashboard.ask("POST", "/_sign-in", form=KEY).status_code == 403
    assert dashboard.sign_in(Sec_Fetch_Site="none").status_code == 403


def test_a_link_from_another_page_may_be_followed(dashboard: Dashboard) -> None:
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert dashboard.ask("GET", "/", **followed).status_code == 401
    framed = followed | {"Sec_Fetch_Dest": "iframe"}
    assert dashboard.ask("GET", "/", **framed).status_code == 403


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nothing_is_changed_unless_that_is_allowed(dashboard: Dashboard, queue: Queue, method: str, path: str) -> None:
    answer = dashboard.ask(method, path, Cookie=dashboard.cookie(), Sec_Fetch_Site="same-origin")
    assert answer.status_code == 403
    assert queue.job_ids == ["some"]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_other_pages_change_nothing(
    writable: Dashboard, queue: Queue, method: str, path: str, headers: dict[str, str]
) -> None:
    headers = filled(headers, writable.port)
    assert writable.ask(method, path, Cookie=writable.cookie(), **headers).status_code == 403
    assert queue.job_ids == ["some"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", {"Sec_Fetch_Site": "same-origin"}, id="a link"),
        pytest.param("GET", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document"}, id="a link elsewhere"),
        pytest.param("POST", {}, id="no word about the page"),
        pytest.param("POST", {"Sec_Fetch_Site": "none"}, id="typed"),
    ],
)
def test_a_change_is_a_post_of_its_own_page(
    writable: Dashboard, queue: Queue, method: str, headers: dict[str, str]
) -> None:
    assert writable.ask(method, "/requeue/probe", Cookie=writable.cookie(), **headers).status_code == 403
    assert queue.job_ids == ["some"]


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "same-origin"}, {"Origin": "http://127.0.0.1:{port}"}])
def test_the_operator_changes_queues_where_that_is_allowed(
    writable: Dashboard, queue: Queue, headers: dict[str, str]
) -> None:
    headers = filled(headers, writable.port)
    answer = writable.ask("POST", "/queue/probe/queued/empty", Cookie=writable.cookie(), **headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    assert queue.job_ids == []
