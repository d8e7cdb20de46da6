"""`taptrade breaker`: the operator's word, with who and why."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from runtime.clock import SystemClock, rfc3339
from runtime.game.breaker import CLOSED_MS, Breaker, Override
from runtime.market.breaker import read_breaker
from taptrade.asking import NotAsked
from taptrade.breaker import main


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))


def test_without_an_override_it_shows_the_breaker(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == "CRITICAL, override auto: bets are refused\n"


def test_an_override_is_set_with_who_and_why(redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["closed", "--who", "ann", "--why", "false alarm"]) == 0
    assert ": bets are taken (by ann: false alarm)" in capsys.readouterr().out
    assert read_breaker(redis_client)[0].override is Override.CLOSED


def test_without_redis_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", "redis://127.0.0.1:1")
    for arguments in ([], ["open", "--who", "ann", "--why", "drill"]):
        with pytest.raises(NotAsked, match=r"Redis does not answer: .*Connection refused"):
            main(arguments)


def test_closed_ends_by_itself_and_says_when(redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    for span, lasts_ms in ((["--for", "2h"], 7_200_000), ([], CLOSED_MS)):
        before_ms = SystemClock().now_ms()
        assert main(["closed", "--who", "ann", "--why", "false alarm", *span]) == 0
        until_ms = read_breaker(redis_client)[0].override_until_ms
        assert until_ms is not None
        assert 0 <= until_ms - before_ms - lasts_ms < 60_000
        assert f"override closed until {rfc3339(until_ms)}: bets are taken" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--for", "30m"],
        ["auto", "--for", "30m", "--why", "x"],
        ["closed", "--for", "8d", "--why", "x"],
        ["closed", "--for", "0m", "--why", "x"],
        ["closed", "--for", "30", "--why", "x"],
        ["closed", "--for", "-5m", "--why", "x"],
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(redis_client: redis.Redis, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert read_breaker(redis_client) == (Breaker(), None)


@pytest.mark.parametrize(
    "arguments", [["open"], ["open", "--why", " "], ["open", "--why", "a\nb"], ["shut", "--why", "x"]]
)
def test_an_override_without_a_reason_or_of_no_kind_is_refused(redis_client: redis.Redis, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert read_breaker(redis_client)[0].override is Override.AUTO
