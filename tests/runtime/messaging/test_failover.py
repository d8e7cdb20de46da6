"""A primary is lost, stopped, demoted or started again: what its clients hear, and that no signature counts twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import redis

from runtime.auth.bet_text import WINDOW_FUTURE_S
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, connect, seen_of, was_never_sent
from runtime.messaging.primary_watch import PrimaryWatch
from runtime.messaging.queues import claim_nonce
from runtime.messaging.redis_errors import NoReplicas, NotPrimary, ServerChanged
from runtime.settings import SettingsError, load
from taptrade import installation_checks, start_checks
from tests.sentinel import SERVICE, Server, Watched, free_ports, server, watched
from tests.waiting import wait_until

pytestmark = [pytest.mark.timeout(90), pytest.mark.integration]
WALLET = "0x" + "a" * 40
EVERYONE = 8


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path) as found:
        yield found


def now_s() -> int:
    return time.time_ns() // 10**9


def claim(client: Any, nonce: str, signed_s: int) -> tuple[str, str]:
    return claim_nonce(client, WALLET, nonce, f"by {nonce}", signed_s, now_s() * 1000)


def tried(client: Any, nonce: str, signed_s: int) -> tuple[str, str]:
    """Claim a nonce until Redis says something to it."""

    def attempt() -> tuple[str, str] | None:
        try:
            return claim(client, nonce, signed_s)
        except OUTAGES:
            return None

    said = wait_until(attempt, 20, what="a primary that answers")
    assert said is not None
    return said


def lose(promoted: Server, *nonces: str) -> None:
    """Let a replica that was promoted be one that had not heard of nonces, which no client of ours has done yet."""
    keys = [redis_keys.nonce(WALLET, nonce) for nonce in nonces]
    assert promoted.client.delete(*keys) == len(keys)


def test_nothing_signed_before_a_promotion_counts_again_whoever_is_first(house: Watched) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(connect(house.url))) for _ in range(EVERYONE)]
        # Dated as far ahead as a clock may be that is fast.
        signed_s = now_s() + WINDOW_FUTURE_S
        assert claim(clients[0], "lost", signed_s) == ("", "")
        assert claim(clients[1], "kept", signed_s) == ("", "")
        assert [client.ping() for client in clients] == [True] * EVERYONE
        epoch = house.primary.client.hgetall(redis_keys.EPOCH)
        wait_until(lambda: house.replica.client.exists(redis_keys.nonce(WALLET, "kept")), what="the nonces there")
        house.primary.kill()
        lose(house.promoted(), "lost")
        with ThreadPoolExecutor(EVERYONE) as crowd:
            said = set(crowd.map(lambda client: tried(client, "lost", signed_s), clients))
        [(code, since_s)] = said
        assert code == "EPOCH"
        begun = house.replica.client.hgetall(redis_keys.EPOCH)
        assert begun["id"] != epoch["id"]
        assert (begun["server"], begun["since_s"]) == (house.replica.client.info("server")["run_id"], since_s)
        assert claim(clients[0], "kept", signed_s) == ("NONCE", "by kept")
        assert claim(clients[0], "fresh", int(since_s) + 1) == ("", "")
        assert claim(clients[1], "fresh", int(since_s) + 1) == ("NONCE", "by fresh")
        assert seen_of(clients[0]) == f"the primary is 127.0.0.1:{house.replica.port}"


def test_who_looks_at_the_new_primary_after_its_epoch_began_begins_no_other(house: Watched) -> None:
    with closing(connect(house.url)) as early, closing(connect(house.url)) as late:
        assert [early.ping(), late.ping()] == [True, True]
        house.primary.kill()
        house.promoted()
        tried(early, "one", now_s())
        begun = house.replica.client.hgetall(redis_keys.EPOCH)
        tried(late, "two", now_s())
        assert house.replica.client.hgetall(redis_keys.EPOCH) == begun


def test_a_primary_that_was_stopped_and_replaced_takes_nothing_from_who_still_holds_it(
    house: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrimaryWatch, "begin", lambda _: None)
    house.primary.client.config_set("min-replicas-to-write", 1)
    with closing(connect(house.url)) as idle, closing(connect(house.url)) as active:
        assert [client.set("before", 1) for client in (idle, active)] == [True, True]
        house.primary.stop()
        house.promoted()
        wait_until(lambda: tried(active, "anything", now_s()), what="the new primary")
        house.primary.wake()
        wait_until(lambda: house.primary.tells()["connected_slaves"] == 0, what="a primary that is alone")
        with pytest.raises((NoReplicas, NotPrimary)) as refused:
            idle.set("after", 1)
        assert was_never_sent(refused.value)
        with pytest.raises(ServerChanged) as changed:
            idle.set("after", 1)
        assert was_never_sent(changed.value)
        assert idle.set("after", 1)
        assert (house.primary.client.get("after"), house.replica.client.get("after")) == (None, "1")


def test_whoever_waits_on_a_primary_that_stands_still_goes_to_the_new_one(house: Watched) -> None:
    with closing(connect(house.url, block_s=60)) as client, ThreadPoolExecutor(1) as aside:
        assert client.ping()
        waiting = aside.submit(client.xread, {"nothing": "0-0"}, 1, 60_000)
        wait_until(lambda: house.primary.client.info("clients")["blocked_clients"] == 1, what="one that waits")
        house.primary.stop()
        promoted = house.promoted()
        # It still stands still, so this is not told by itself, and the command would wait for more than a minute.
        with pytest.raises(redis.ConnectionError):
            waiting.result(20)
        tried(client, "anything", now_s())
        assert seen_of(client) == f"the primary is 127.0.0.1:{promoted.port}"


def test_a_demoted_primary_ends_what_waits_on_it(house: Watched) -> None:
    with closing(connect(house.url, block_s=30)) as client, ThreadPoolExecutor(1) as aside:
        assert client.ping()
        waiting = aside.submit(client.blpop, ["nothing"], 30)
        wait_until(lambda: house.primary.client.info("clients")["blocked_clients"] == 1, what="one that waits")
        house.sentinels[0].client.execute_command("SENTINEL", "FAILOVER", SERVICE)  # type: ignore[no-untyped-call]
        house.promoted()
        with pytest.raises(OUTAGES):
            waiting.result(30)
        wait_until(lambda: house.primary.tells()["role"] == "slave", 20, what="a primary that was demoted")
        tried(client, "anything", now_s())
        assert seen_of(client) == f"the primary is 127.0.0.1:{house.replica.port}"


def test_a_start_and_the_doctor_name_the_primary_and_a_service_that_nobody_watches(house: Watched) -> None:
    start_checks.require_fit_redis(house.url)
    settings = load({"TAPTRADE_REDIS_URL": house.url})
    assert installation_checks.server(settings).seen == f"by Sentinel, the primary is 127.0.0.1:{house.primary.port}"
    unknown = house.url.replace(f"/{SERVICE}/", "/elsewhere/")
    with pytest.raises(SettingsError, match=r"TAPTRADE_REDIS_URL: .* no sentinel watches 'elsewhere'"):
        start_checks.require_fit_redis(unknown)
    diagnosis = installation_checks.server(load({"TAPTRADE_REDIS_URL": unknown}))
    assert diagnosis.state == "fail"
    assert "no sentinel watches 'elsewhere'" in diagnosis.seen


def test_sentinels_that_are_gone_are_passed_over_and_named_when_none_is_left(house: Watched) -> None:
    house.sentinels[0].kill()
    with closing(connect(house.url)) as client:
        assert client.ping()
        client.connection_pool.disconnect()
        for one in house.sentinels[1:]:
            one.kill()
        with pytest.raises(OUTAGES, match="no sentinel answers") as silent:
            client.ping()
        assert was_never_sent(silent.value)
        assert all(f"127.0.0.1:{one.port}: " in seen_of(client) for one in house.sentinels)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Server]:
    """Return a server without sentinels, at a name that may lead to another one tomorrow."""
    found = server(tmp_path / "alone", free_ports(1)[0])
    yield found
    found.client.close()
    found.kill()


def test_a_server_that_was_started_again_begins_an_epoch_and_knows_what_it_kept(alone: Server) -> None:
    with closing(connect(f"redis://127.0.0.1:{alone.port}/0")) as client:
        signed_s = now_s() + 1
        assert claim(client, "kept", signed_s) == ("", "")
        alone.client.config_set("appendfsync", "always")
        alone.client.set("flushed", 1)
        alone.kill()
        alone.start()
        assert tried(client, "never sent", signed_s)[0] == "EPOCH"
        assert claim(client, "kept", signed_s) == ("NONCE", "by kept")


def test_a_name_that_leads_to_a_replica_is_an_outage_until_that_is_promoted(alone: Server, tmp_path: Path) -> None:
    replica = server(tmp_path / "replica", free_ports(1)[0], "--replicaof", f"127.0.0.1 {alone.port}")
    with closing(connect(f"redis://127.0.0.1:{replica.port}/0")) as client:
        try:
            with pytest.raises(NotPrimary) as refused:
                client.get("anything")
            assert was_never_sent(refused.value)
            replica.client.replicaof("NO", "ONE")
            assert client.set("anything", 1)
            # Demoted by hand it keeps connections; the first write on one hears of it, and does nothing.
            replica.client.replicaof("127.0.0.1", str(alone.port))
            with pytest.raises(NotPrimary) as demoted:
                client.set("anything", 2)
            assert was_never_sent(demoted.value)
        finally:
            replica.client.close()
            replica.kill()


@pytest.mark.parametrize("answer", ["READONLY You", "MASTERDOWN Link", "UNBLOCKED force", "NOREPLICAS Not enough"])
def test_what_a_server_says_that_is_no_primary_is_an_outage_without_effect(redis_url: str, answer: str) -> None:
    with closing(connect(redis_url)) as client:
        with pytest.raises(OUTAGES) as said:
            client.eval("return redis.error_reply(ARGV[1])", 0, answer)
        assert was_never_sent(said.value)
        assert not isinstance(said.value, redis.ResponseError)


def test_a_signature_dated_ahead_is_within_what_an_epoch_refuses() -> None:
    assert redis_keys.SIGNED_AHEAD_S >= WINDOW_FUTURE_S + 1
