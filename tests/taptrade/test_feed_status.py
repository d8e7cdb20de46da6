"""`taptrade feed status`: what an operator sees of the sources."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
import redis
from rich.console import Console

from runtime.clock import SystemClock
from runtime.health.status import read_status
from runtime.messaging.redis_keys import FEED_SOURCES, TICK_LATEST
from runtime.messaging.redis_values import encode_tick
from taptrade import embedded_redis
from taptrade.asking import NotAsked
from taptrade.feed import main
from taptrade.feed_status import Seen, table
from tests.feed_sources import feed_sources
from tests.jobs.feed.ticks import tick


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))


def tell(client: redis.Redis) -> None:
    now_ms = SystemClock().now_ms()
    client.set(FEED_SOURCES, feed_sources(now_ms, binance=True, kraken=True, bitstamp=False).encode())
    client.set(TICK_LATEST, encode_tick(tick(now_ms)))


def test_elsewhere_than_on_a_terminal_it_is_shown_once(
    redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(redis_client)
    assert main(["status"]) == 0
    names, binance, _, bitstamp, sentence = capsys.readouterr().out.splitlines()
    shown = dict(zip(names.split("\t"), binance.split("\t"), strict=True))
    assert (shown["source"], shown["state"], shown["counts"], shown["price"]) == ("binance", "live", "yes", "93,750.12")
    assert (shown["offset bp"], shown["prices"], shown["left out"]) == ("+8.54", "1,234", "outlier 3 zero 1")
    shown = dict(zip(names.split("\t"), bitstamp.split("\t"), strict=True))
    assert (shown["counts"], shown["last error"]) == ("no: not fresh", "ConnectionRefusedError")
    assert float(shown["age s"]) >= 60
    assert sentence.startswith("2 of 3 count, 2 must; newest tick 0.")
    assert sentence.endswith("breaker CRITICAL, override auto")


def test_programs_get_json(redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    tell(redis_client)
    assert main(["status", "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert [source["name"] for source in found["feed"]["sources"]] == ["binance", "kraken", "bitstamp"]
    assert (found["feed"]["needed"], found["breaker"]) == (2, "CRITICAL")
    assert found["tick_age_ms"] >= 0


def test_a_feed_that_says_nothing_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "the feed gives no sign of life"
    assert main(["status", "--json"]) == 1
    assert msgspec.json.decode(capsys.readouterr().out)["feed"] is None


def test_without_redis_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(NotAsked, match="Redis does not answer"):
        main(["status"])


def test_of_a_house_that_ended_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TAPTRADE_REDIS_URL")
    (tmp_path / "run").mkdir()
    embedded_redis.record_url(tmp_path, f"unix://{tmp_path}/gone.sock")
    with pytest.raises(NotAsked, match=re.escape(f"nothing runs in {tmp_path}; start it with `taptrade up`")):
        main(["status", "--once"])


def test_a_terminal_gets_a_table(redis_client: redis.Redis) -> None:
    tell(redis_client)
    now_ms = SystemClock().now_ms()
    status = read_status(redis_client, now_ms)
    assert status is not None
    console = Console(width=160, record=True, file=Path("/dev/null").open("w", encoding="utf-8"))  # noqa: SIM115
    console.print(table(Seen(status, now_ms)))
    console.file.close()
    text = console.export_text()
    assert "binance" in text
    assert "2 of 3 count, 2 must" in text
