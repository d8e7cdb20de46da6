"""The command around the game: where it plays, how it waits, and when it is content."""

from __future__ import annotations

import argparse

import httpx
import pytest

from runtime.clock import ManualClock
from taptrade.client import TapClient
from taptrade.delivery import PlayError
from taptrade.player import place_of, wait_until_healthy
from taptrade.wallet import Place


def at(url: str | None = None, domain: str | None = None, chain_id: int | None = None) -> tuple[str, Place]:
    return place_of(argparse.Namespace(url=url, domain=domain, chain_id=chain_id))


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DOMAIN", "CHAIN_ID", "REDIS_URL", "DATA"):
        monkeypatch.delenv(f"TAPTRADE_{name}", raising=False)


@pytest.mark.usefixtures("_no_settings")
def test_the_settings_say_where_to_play(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at() == ("http://127.0.0.1:8000", Place("127.0.0.1:8000", "http://127.0.0.1:8000", 1))
    monkeypatch.setenv("TAPTRADE_PORT", "8123")
    monkeypatch.setenv("TAPTRADE_CHAIN_ID", "5")
    assert at() == ("http://127.0.0.1:8123", Place("127.0.0.1:8123", "http://127.0.0.1:8123", 5))
    monkeypatch.setenv("TAPTRADE_DOMAIN", "tap.example")
    assert at() == ("http://127.0.0.1:8123", Place("tap.example", "http://tap.example", 5))
    monkeypatch.setenv("TAPTRADE_DOMAIN", "tap.example, localhost:8123")
    monkeypatch.setenv("TAPTRADE_CHAIN_ID", "137,5")
    assert at() == ("http://127.0.0.1:8123", Place("tap.example", "http://tap.example", 137))


@pytest.mark.usefixtures("_no_settings")
def test_an_address_of_ones_own_is_signed_for_unless_told_otherwise() -> None:
    assert at("https://tap.example/") == ("https://tap.example", Place("tap.example", "https://tap.example", 1))
    assert at("http://LocalHost:8000")[1] == Place("localhost:8000", "http://localhost:8000", 1)
    assert at("http://127.0.0.1:8080", "tap.example", 7)[1] == Place("tap.example", "http://tap.example", 7)


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
    ],
)
def test_a_minute_in_vain_ends_with_a_sentence(
    answer: httpx.Response | Exception, said: str, clock: ManualClock
) -> None:
    with pytest.raises(PlayError, match=said):
        Door(answer, clock=clock).wait()
    assert 60_000 <= clock.steady_ms < 62_000
