"""`taptrade breaker`: the operator's word, with who and why."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from jobs.settlement.breaker import read_breaker
from runtime.game.breaker import Override
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
    assert "override closed: bets are taken (by ann: false alarm)" in capsys.readouterr().out
    assert read_breaker(redis_client)[0].override is Override.CLOSED


def test_without_redis_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", "redis://127.0.0.1:1")
    for arguments in ([], ["open", "--who", "ann", "--why", "drill"]):
        with pytest.raises(NotAsked, match=r"Redis does not answer: .*Connection refused"):
            main(arguments)


@pytest.mark.parametrize(
    "arguments", [["open"], ["open", "--why", " "], ["open", "--why", "a\nb"], ["shut", "--why", "x"]]
)
def test_an_override_without_a_reason_or_of_no_kind_is_refused(redis_client: redis.Redis, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert read_breaker(redis_client)[0].override is Override.AUTO
