"""The command around the game: where it plays, how it waits, and when it is content."""

from __future__ import annotations

import argparse
from pathlib import Path

import httpx
import pytest

from runtime.clock import ManualClock
from runtime.settings import SettingsError, load
from taptrade import claims, player
from taptrade.client import TapClient
from taptrade.delivery import Delivery, Line, PlayError
from taptrade.player import audience_of, summary, wait_until_healthy
from taptrade.record import Record
from taptrade.wallet import Audience


def at(url: str | None = None, domain: str | None = None, chain_id: int | None = None) -> tuple[str, Audience]:
    return audience_of(argparse.Namespace(url=url, domain=domain, chain_id=chain_id))


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PORT", "DOMAIN", "CHAIN_ID", "REDIS_URL", "HOST"):
        monkeypatch.delenv(f"TAPTRADE_{name}", raising=False)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))


@pytest.mark.usefixtures("_no_settings")
def test_the_settings_say_where_to_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_PORT", "8123")
    monkeypatch.setenv("TAPTRADE_CHAIN_ID", "5")
    assert at() == ("http://127.0.0.1:8123", Audience("127.0.0.1:8123", "http://127.0.0.1:8123", 5))
    monkeypatch.setenv("TAPTRADE_DOMAIN", "tap.example")
    assert at() == ("http://127.0.0.1:8123", Audience("tap.example", "http://tap.example", 5))
    monkeypatch.setenv("TAPTRADE_DOMAIN", "tap.example, localhost:8123")
    monkeypatch.setenv("TAPTRADE_CHAIN_ID", "137,5")
    assert at() == ("http://127.0.0.1:8123", Audience("tap.example", "http://tap.example", 137))


@pytest.mark.usefixtures("_no_settings")
def test_the_run_of_the_data_folder_is_found_unless_the_settings_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = {"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_PORT": "18123", "TAPTRADE_CHAIN_ID": "5"}
    with claims.lock_data(load(theirs)):
        assert at() == ("http://127.0.0.1:18123", Audience("127.0.0.1:18123", "http://127.0.0.1:18123", 5))
        assert at("http://nginx:8080") == ("http://nginx:8080", Audience("nginx:8080", "http://nginx:8080", 1))
        monkeypatch.setenv("TAPTRADE_DOMAIN", "tap.example")
        assert at()[1].domain == at("http://nginx:8080")[1].domain == "tap.example"
        monkeypatch.setenv("TAPTRADE_PORT", "8123")
        assert at()[0] == "http://127.0.0.1:8123"


@pytest.mark.usefixtures("_no_settings")
def test_where_nothing_runs_that_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(player, "_listens", lambda _: False)
    claims.lock_data(load({"TAPTRADE_DATA": str(tmp_path), "TAPTRADE_PORT": "18123"})).close()
    with pytest.raises(SettingsError, match=f"nothing runs in {tmp_path}; `make run` starts it"):
        at()
    monkeypatch.setattr(player, "_listens", lambda url: url == "http://127.0.0.1:8000")
    assert at()[0] == "http://127.0.0.1:8000", "containers have a data folder that is not seen from here"


def test_the_summary_counts_refusals_by_code_and_apart_from_lost_answers(clock: ManualClock) -> None:
    record = Record(refusals=["RATE_MOVED", "CELL_CLOSED", "RATE_MOVED"])
    client = TapClient("http://127.0.0.1:1")
    line = Line(client, clock, login=lambda: None, pause=lambda _: None)
    delivery = Delivery(line, on_wait=lambda _: None)
    assert summary(Record(), delivery).endswith("; refusals: 0; repeats of a lost answer: 0")
    delivery.refusals.update(PRICE_FEED_STALE=6)
    delivery.repeats = 1
    assert summary(record, delivery) == (
        "told by the stream: 0 of 0 results; "
        "refusals: 9 (6 PRICE_FEED_STALE, 2 RATE_MOVED, 1 CELL_CLOSED); repeats of a lost answer: 1"
    )


@pytest.mark.usefixtures("_no_settings")
def test_an_address_of_ones_own_is_signed_for_unless_told_otherwise() -> None:
    assert at("https://tap.example/") == ("https://tap.example", Audience("tap.example", "https://tap.example", 1))
    assert at("http://ann:opensesame@tap.example")[1].domain == "tap.example"
    assert at("http://LocalHost:8000")[1] == Audience("localhost:8000", "http://localhost:8000", 1)
    assert at("http://127.0.0.1:8080", "tap.example", 7)[1] == Audience("tap.example", "http://tap.example", 7)


class Door:
    """A server that answers /healthz from a list; the last answer for ever."""

    def __init__(self, *answers: httpx.Response | Exception, clock: ManualClock) -> None:
        self.asked = 0
        self._answers = answers
        self._clock = clock

    def wait(self) -> None:
        client = TapClient("http://127.0.0.1:1", transport=httpx.MockTransport(self._answer))
        wait_until_healthy(client, self._clock, lambda seconds: self._clock.advance(int(seconds * 1000)))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/healthz"
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


UNWELL = httpx.Response(503, json={"ok": False, "checks": {"feed": {"ok": False}, "redis": {"ok": True}}})
REFUSED = httpx.ConnectError("refused")


def test_the_game_begins_when_the_system_is_well(clock: ManualClock, capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(REFUSED, UNWELL, httpx.Response(200, json={}), clock=clock)
    door.wait()
    assert door.asked == 3
    assert "make run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(REFUSED, r"nothing listens at http://127\.0\.0\.1:1; `make run` starts it", id="nothing there"),
        pytest.param(UNWELL, "is not well: feed", id="a part is not well"),
        pytest.param(httpx.Response(404), "404", id="another server"),
        pytest.param(httpx.ConnectError("certificate verify failed"), "SSL_CERT_FILE names", id="an unknown authority"),
    ],
)
def test_a_minute_in_vain_ends_with_a_sentence(
    answer: httpx.Response | Exception, said: str, clock: ManualClock
) -> None:
    with pytest.raises(PlayError, match=said):
        Door(answer, clock=clock).wait()
    assert 60_000 <= clock.steady_ms < 62_000
