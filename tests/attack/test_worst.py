"""Every route gets its worst, many times over, from a few addresses; an honest player beside it notices nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from runtime.error_codes import CODES
from tests.acceptance.system import STEADY, System
from tests.attack.arena import all_functions
from tests.attack.honest import FINE, Honest
from tests.attack.worst import ADDRESSES, LIMITED, NOTHING, Line, attack, sign_in, stand
from tests.attack.worst_requests import WORST
from tests.docs.costs import COSTS
from tests.waiting import wait_until

ASKED = 60
"""Requests of each address to each route; `python -m tests.attack.worst` goes on for as long as it is told to."""
PUT_OFF_MAX = ASKED // 10
SMALL = {
    "requests_per_minute": 1_000,
    "logins_per_minute": 20,
    "refusals_per_minute": 30,
    "address_logins_per_day": 12,
    "wallet_logins_per_day": 4,
    "deposits_per_day": 7,
    "withdrawals_pending_max": 3,
}
CLOSING = ("POST /api/bets", "POST /api/processor/deposits")
REDIS_BYTES_MAX = 4_000_000
LOG_BYTES_MAX = 20_000
# What grows by itself, or by what is bounded in money.
GROWS = {
    "commit_rows",
    "columns",
    "bet_rows",
    "pricings",
    "buckets",
    "entry_rows",
    "gesture_rows",
    "player_limits",
    "rules_in_force",
}
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run a system whose limits are soon reached."""
    data = tmp_path_factory.mktemp("worst") / "data"
    with System(data, **STEADY, **LIMITED | {name: str(value) for name, value in SMALL.items()}) as running:
        yield running


def test_every_route_has_its_worst_and_its_costs() -> None:
    routes = {f"{one.method} {one.route}" for one in all_functions()}
    assert WORST.keys() == COSTS.keys()
    assert COSTS.keys() <= routes
    # One that is counted with all other requests costs at most what these may.
    counted = {f"{one.method} {one.route}" for one in all_functions() if "requests" in one.limits}
    assert sorted(routes - COSTS.keys() - counted) == []


def status_of(code: str) -> int:
    return int(code) if code.isdigit() else CODES[code].status


def most_rows() -> Counter[str]:
    """Return how many rows the attackers may leave, with a day that may turn in between."""
    each = Counter(
        users=SMALL["address_logins_per_day"],
        player_keys=SMALL["address_logins_per_day"],
        delegations=SMALL["address_logins_per_day"],
        operations=SMALL["address_logins_per_day"] + SMALL["deposits_per_day"],
        withdrawals=SMALL["withdrawals_pending_max"],
        idempotency_keys=SMALL["deposits_per_day"] + SMALL["withdrawals_pending_max"],
    )
    return Counter({name: 2 * len(ADDRESSES) * count for name, count in each.items()})


def go_on_hearing(honest: Honest, route: str) -> None:
    """Wait for another answer to the honest player."""
    heard = honest.codes.total()
    wait_until(lambda: honest.codes.total() > heard, what=f"an honest answer after {route}")


def test_the_worst_of_all_routes_leaves_little_and_harms_nobody(system: System) -> None:
    with ExitStack() as stack:
        honest = stack.enter_context(Honest(system).at_play())
        lines: list[Line] = [stack.enter_context(closing(line)) for line in sign_in(system)]
        before = stand(system)
        refused: Counter[str] = Counter()
        # Those whose refusals close the door for others come last.
        for route in sorted((*WORST, NOTHING), key=CLOSING.__contains__):
            phase = attack(system, lines, honest, route, lambda sent: sent < ASKED)
            assert phase.codes.total() == ASKED * len(lines)
            # A busy machine may put off a read, and says when to come again; nothing else is the house's fault.
            assert phase.codes["UNAVAILABLE"] <= PUT_OFF_MAX, (route, phase.codes)
            assert max(map(status_of, phase.codes.keys() - {"UNAVAILABLE"})) < 500, (route, phase.codes)
            refused[route] = phase.codes["RATE_LIMITED"]
            go_on_hearing(honest, route)
        after = stand(system)
    assert honest.codes.keys() == {FINE}
    grown = after.rows - before.rows
    most = most_rows()
    assert {name: count for name, count in grown.items() if name not in GROWS and count > most[name]} == {}
    assert after.redis_bytes - before.redis_bytes < REDIS_BYTES_MAX
    assert after.log_bytes - before.log_bytes < LOG_BYTES_MAX
    for route in ("POST /api/auth/login", "POST /api/deposits", *CLOSING):
        assert refused[route], f"nothing was refused at {route}: {refused}"
    assert refused.total() > ASKED * len(lines)
    report = system.audit()
    assert report.ok, report.faults
