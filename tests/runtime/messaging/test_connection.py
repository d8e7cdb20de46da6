"""What counts as an outage of Redis, and what of that certainly had no effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from runtime.messaging import connection
from runtime.messaging.connection import OUTAGES, connect, was_never_sent
from runtime.settings import SettingsError


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("OOM command not allowed when used memory > 'maxmemory'.", id="out of memory"),
        pytest.param("MISCONF Errors writing to the AOF file: No space left on device", id="out of disk"),
        pytest.param("LOADING Redis is loading the dataset in memory", id="loading"),
    ],
)
def test_a_redis_that_takes_no_writes_is_an_outage(redis_url: str, answer: str) -> None:
    client = connect(redis_url)
    with pytest.raises(OUTAGES) as alone:
        client.eval("return redis.error_reply(ARGV[1])", 0, answer)
    pipeline = client.pipeline(transaction=True)
    pipeline.eval("return redis.error_reply(ARGV[1])", 0, answer)
    with pytest.raises(OUTAGES):
        pipeline.execute()
    assert was_never_sent(alone.value)
    client.close()


@pytest.mark.integration
def test_a_redis_that_is_not_there_was_sent_nothing() -> None:
    client = connect("redis://127.0.0.1:1")
    with pytest.raises(OUTAGES) as refused:
        client.ping()
    assert was_never_sent(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:x", "Port could not be cast"),
        ("redis://127.0.0.1:99999", "Port out of range"),
        ("redis://[::1", "Invalid IPv6 URL"),
        ("http://127.0.0.1", "must specify one of the following schemes"),
        ("redis://:opensesame@127.0.0.1?max_connections=x", "Invalid value for 'max_connections'"),
        ("redis://:opensesame@127.0.0.1?colour=red", "unexpected keyword argument 'colour'"),
        ("rediss://:opensesame@127.0.0.1?ssl_cert_reqs=x", "Invalid SSL Certificate Requirements Flag"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_as_the_setting_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        connect(url)
    assert str(refused.value).startswith("TAPTRADE_REDIS_URL=***: ")
    assert said in str(refused.value)
    assert "opensesame" not in str(refused.value)


def test_a_mistake_of_ours_is_no_outage(redis_url: str) -> None:
    client = connect(redis_url)
    client.set("text", "a")
    with pytest.raises(redis.ResponseError) as wrong:
        client.lpush("text", "b")
    assert not isinstance(wrong.value, OUTAGES)
    client.close()


@pytest.mark.integration
def test_a_crowd_waits_for_connections_and_none_is_refused(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 2)
    client = connect(redis_url)
    with ThreadPoolExecutor(10) as crowd:
        found = list(crowd.map(lambda _: client.blpop(["what nobody sends"], timeout=0.05), range(10)))
    assert found == [None] * 10
    pool = client.connection_pool
    assert isinstance(pool, redis.BlockingConnectionPool)
    assert len(pool._connections) == 2
    client.close()


@pytest.mark.integration
def test_a_command_that_found_no_connection_was_never_sent(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 1)
    monkeypatch.setattr(connection, "CONNECTION_WAIT_S", 0.01)
    client = connect(redis_url)
    taken = client.connection_pool.get_connection()
    with pytest.raises(OUTAGES) as refused:
        client.ping()
    assert was_never_sent(refused.value)
    client.connection_pool.release(taken)
    assert client.ping()
    client.close()
