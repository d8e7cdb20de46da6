"""Rate limits: who is counted, what the header fields say, and what happens while Redis is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from runtime.clock import ManualClock
from runtime.errors import RateLimited, Unavailable
from runtime.messaging import rate_counter, redis_keys
from runtime.messaging.connection import connect
from runtime.messaging.rate_counter import RedisLimiter
from runtime.rate_limits import (
    BUCKETS,
    LimitDecision,
    LimitPolicy,
    Unlimited,
    decide,
    header_of,
    policies,
    wider,
    widest,
    window_of,
)
from runtime.settings import Settings
from tests.runtime.web.sample_app import BEARER, QUOTAS, WALLET, build, problem

BETS = LimitPolicy("bets", 3, 60, "wallet")
SEVERAL = {
    "hour": LimitPolicy("hour", 4, 3600, "address"),
    "minute": LimitPolicy("minute", 3, 60, "wallet"),
}
START_MS = 1_790_000_000_000 // 60_000 * 60_000


def one(limiter: RedisLimiter, bucket: str, who: str) -> LimitDecision:
    [decision] = limiter.count((bucket, who))
    return decision


def test_the_header_fields_are_structured_as_in_the_draft() -> None:
    decision = decide(BETS, 1, START_MS + 18_001)

    assert BETS.header == '"bets";q=3;w=60'
    assert decision.header == '"bets";r=2;t=42'


@pytest.mark.parametrize(
    ("hits", "allowed", "remaining"),
    [(1, True, 2), (2, True, 1), (3, True, 0), (4, False, 0), (100, False, 0)],
)
def test_the_quota_is_exact(hits: int, allowed: bool, remaining: int) -> None:
    decision = decide(BETS, hits, START_MS)

    assert (decision.allowed, decision.remaining) == (allowed, remaining)


@pytest.mark.parametrize(
    ("after_ms", "reset_s"), [(0, 60), (1, 60), (999, 60), (1000, 59), (59_000, 1), (59_999, 1), (60_000, 60)]
)
def test_waiting_for_the_reset_always_ends_in_the_next_window(after_ms: int, reset_s: int) -> None:
    now_ms = START_MS + after_ms
    window, seconds = window_of(BETS, now_ms)

    assert seconds == reset_s
    assert window_of(BETS, now_ms + seconds * 1000)[0] == window + 1


def test_enforce_says_how_long_to_wait() -> None:
    decide(BETS, 3, START_MS).enforce()
    with pytest.raises(RateLimited) as caught:
        decide(BETS, 4, START_MS).enforce()

    assert caught.value.retry_after_s == 60
    assert caught.value.arguments == {"bucket": "bets", "limit": 3, "remaining": 0, "reset_s": 60}


def test_every_bucket_has_a_quota_from_the_settings(settings: Settings) -> None:
    quotas = policies(settings)

    assert set(quotas) == BUCKETS
    assert quotas["bets"].limit == settings.bets_per_minute
    assert Unlimited(quotas).count(("bets", WALLET))[0].allowed


def test_a_limit_counts_the_address_and_answers_429_beyond_it() -> None:
    sample = build()
    answers = [sample.call("GET", "/api/notes/1", extras={"REMOTE_ADDR": "192.0.2.7"}) for _ in range(3)]
    other = sample.call("GET", "/api/notes/1", extras={"REMOTE_ADDR": "192.0.2.8"})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert other.status_code == 200
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=2;w=60'
    assert answers[0].headers["ratelimit"] == '"requests";r=1;t=42'
    refused = problem(answers[2], 429, "RATE_LIMITED")
    assert (refused["retryable"], refused["limit"], refused["reset_s"]) == (True, 2, 42)
    assert answers[2].headers["retry-after"] == "42"
    assert answers[2].headers["ratelimit"] == '"requests";r=0;t=42'


def test_a_handler_that_counts_itself_reports_what_is_left() -> None:
    sample = build()
    tap = {"cell": "a", "amount": 1}
    fits = sample.send("POST", "/api/taps", tap | {"hits": 2})
    over = sample.send("POST", "/api/taps", tap | {"hits": 4})
    uncounted = sample.call("POST", "/api/taps", json=tap)

    assert fits.headers["ratelimit"] == '"bets";r=1;t=17'
    assert problem(over, 429, "RATE_LIMITED")["reset_s"] == 17
    assert over.headers["ratelimit"] == '"bets";r=0;t=17'
    assert uncounted.headers["ratelimit-policy"] == '"bets";q=3;w=60'
    assert "ratelimit" not in uncounted.headers
    assert sample.limiter.hits == {}


def test_guessing_sessions_counts_against_the_address() -> None:
    sample = build()
    statuses = [
        sample.call("PUT", "/api/notes/1", json={"text": "a"}, extras={"REMOTE_ADDR": "192.0.2.7"}).status_code
        for _ in range(3)
    ]

    assert statuses == [401, 401, 429]


def test_without_redis_reads_go_on_and_the_rest_is_refused() -> None:
    sample = build()
    sample.limiter.away = True

    read = sample.call("GET", "/api/notes/1", headers=BEARER)

    assert read.status_code == 200
    assert "ratelimit" not in read.headers
    problem(sample.call("POST", "/api/notes/1/copy"), 503, "UNAVAILABLE")


def test_redis_counts_per_bucket_wallet_and_window(redis_client: redis.Redis, clock: ManualClock) -> None:
    limiter = RedisLimiter(redis_client, QUOTAS, clock)
    clock.wall_ms = START_MS

    assert [one(limiter, "bets", WALLET).allowed for _ in range(4)] == [True, True, True, False]
    assert one(limiter, "bets", "0xother").remaining == 2
    assert one(limiter, "requests", WALLET).remaining == 1
    clock.advance(60_000)
    assert one(limiter, "bets", WALLET).remaining == 2


def test_redis_forgets_a_window_soon_after_its_end(redis_client: redis.Redis, clock: ManualClock) -> None:
    limiter = RedisLimiter(redis_client, QUOTAS, clock)
    clock.wall_ms = START_MS + 20_000
    one(limiter, "bets", WALLET)
    one(limiter, "bets", WALLET)

    (key,) = redis_client.keys("limit:*")

    assert 38_000 < int(redis_client.pttl(key)) <= 41_000


def test_redis_counts_exactly_under_a_rush(redis_url: str, clock: ManualClock) -> None:
    with connect(redis_url) as client, ThreadPoolExecutor(8) as pool:
        limiter = RedisLimiter(client, {"bets": LimitPolicy("bets", 100, 60, "wallet")}, clock)
        decisions = list(pool.map(lambda _: one(limiter, "bets", WALLET), range(150)))

    assert sum(decision.allowed for decision in decisions) == 100
    assert max(decision.remaining for decision in decisions) == 99


def test_several_buckets_are_counted_together_and_what_one_refuses_the_next_does_not_count(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    limiter = RedisLimiter(redis_client, SEVERAL, clock)
    clock.wall_ms = START_MS

    def ask() -> str:
        return header_of(limiter.count(("hour", "192.0.2.7"), ("minute", WALLET)))

    assert ask() == '"hour";r=3;t=2820, "minute";r=2;t=60'
    assert [ask(), ask(), ask()] == [
        '"hour";r=2;t=2820, "minute";r=1;t=60',
        '"hour";r=1;t=2820, "minute";r=0;t=60',
        '"minute";r=0;t=60',
    ]
    clock.advance(60_000)
    assert ask() == '"hour";r=0;t=2760, "minute";r=2;t=60'
    assert ask() == '"hour";r=0;t=2760'
    assert redis_client.hgetall(f"limit:minute:{clock.wall_ms // 60_000}") == {WALLET.encode(): b"1"}


def test_who_has_used_up_a_bucket_is_refused_from_memory_until_its_window_ends(
    redis_client: redis.Redis, clock: ManualClock
) -> None:
    limiter = RedisLimiter(redis_client, QUOTAS, clock)
    clock.wall_ms = START_MS
    for _ in range(3):
        one(limiter, "bets", WALLET)
    assert limiter.any_spent
    assert limiter.spent("bets", "0xother") is None
    redis_client.flushall()
    assert not one(limiter, "bets", WALLET).allowed
    refused = limiter.spent("bets", WALLET)
    assert refused is not None
    assert (refused.allowed, refused.reset_s) == (False, 60)
    clock.advance(60_000)
    assert limiter.spent("bets", WALLET) is None
    assert one(limiter, "bets", WALLET).allowed


def test_what_is_remembered_is_bounded(
    redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_counter, "SPENT_MAX", 5)
    limiter = RedisLimiter(redis_client, {"bets": LimitPolicy("bets", 1, 60, "wallet")}, clock)
    for number in range(8):
        one(limiter, "bets", f"0x{number}")
    assert len(limiter._spent) == 5
    assert not one(limiter, "bets", "0x7").allowed  # Redis knows the rest
    clock.advance(60_000)
    one(limiter, "bets", "0x9")
    assert list(limiter._spent) == [("bets", "0x9")]


def test_a_bucket_counts_so_many_at_most(
    redis_client: redis.Redis, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_counter, "COUNTED_MAX", 3)
    limiter = RedisLimiter(redis_client, QUOTAS, clock)
    clock.wall_ms = START_MS
    for number in range(6):
        for _ in range(2):
            one(limiter, "bets", f"0x{number}")
    [key] = redis_client.keys("limit:*")
    assert redis_client.hgetall(key) == {b"0x0": b"2", b"0x1": b"2", b"0x2": b"2"}
    assert [one(limiter, "bets", who).remaining for who in ("0x0", "0x5")] == [0, 2]


def test_the_budget_of_counters_is_true(redis_client: redis.Redis, clock: ManualClock) -> None:
    wallets = 2_000
    limiter = RedisLimiter(redis_client, {"bets": LimitPolicy("bets", 10**6, 86_400, "wallet")}, clock)
    for number in range(wallets):
        one(limiter, "bets", f"0x{number:040x}")
    [key] = redis_client.keys("limit:*")
    assert int(redis_client.memory_usage(key, samples=0) or 0) < wallets * 105
    assert redis_keys.budget_fits(512 * 1024 * 1024)


@pytest.mark.integration
def test_a_redis_that_is_away_is_told_as_unavailable(tmp_path: Path, clock: ManualClock) -> None:
    client = connect(f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(Unavailable, match="cannot be counted"):
        RedisLimiter(client, QUOTAS, clock).count(("bets", WALLET))


NEIGHBOURS = [
    ("203.0.113.9", (("203.0.113.0/24", 16),)),
    ("2001:db8:5:1234::/64", (("2001:db8:5:1200::/56", 4), ("2001:db8:5::/48", 16))),
    ("unknown", ()),
    (WALLET, ()),
]


@pytest.mark.parametrize(("who", "networks"), NEIGHBOURS)
def test_an_address_counts_in_its_wider_networks_too(who: str, networks: tuple[tuple[str, int], ...]) -> None:
    assert wider(who) == networks
    assert widest(who) == (networks[-1][0] if networks else who)


def test_who_has_many_networks_has_few_times_the_quota(redis_client: redis.Redis, clock: ManualClock) -> None:
    limiter = RedisLimiter(redis_client, SEVERAL, clock)
    served = [one(limiter, "hour", f"2001:db8:5:12{number:02x}::/64").allowed for number in range(24)]
    assert served == [True] * 16 + [False] * 8
    asked = len(redis_client.hgetall(redis_keys.counted("hour", window_of(SEVERAL["hour"], clock.now_ms())[0])))
    refused = one(limiter, "hour", "2001:db8:5:12ff::/64")
    assert (refused.allowed, refused.limit, refused.remaining) == (False, 16, 0)
    assert len(redis_client.hgetall(redis_keys.counted("hour", window_of(SEVERAL["hour"], clock.now_ms())[0]))) == asked
    assert one(limiter, "hour", "2001:db8:5:1300::/64").allowed
    assert one(limiter, "hour", "2001:db8:6:1200::/64").allowed
    assert one(limiter, "minute", "2001:db8:5:12ff::/64").allowed
