"""How a player's own limits change: what is tighter counts at once, what is looser after a day, each limit by itself.

A change is stored as whole limits with the time from which they count. The newest of those that count already is in
force; those after it wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from runtime.game.limits import DAY_MS, PlayerLimits

CHANGES_PER_DAY_MAX = 50
"""Each change leaves up to nine rows for ever. Beyond these, only what protects much more is taken."""
_PAUSES = ("cool_off_until_ms", "excluded_until_ms")
_INTERVAL = "reality_check_minutes"


@dataclass(frozen=True, slots=True)
class LimitsChange:
    """Limits as they were set, and from when they count."""

    limits: PlayerLimits
    effective_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one limit will become, and when."""

    amount: int | None
    effective_ms: int


def standing(changes: Sequence[LimitsChange], now_ms: int) -> tuple[PlayerLimits, Sequence[LimitsChange]]:
    """Return the newest limits that count already, and the changes behind them, which do not yet.

    `changes` are in the order in which they were made: one that counts stands in the stead of all before it.
    """
    last = max((at for at, change in enumerate(changes) if change.effective_ms <= now_ms), default=-1)
    return changes[last].limits if last >= 0 else PlayerLimits(), changes[last + 1 :]


def in_force(changes: Sequence[LimitsChange], now_ms: int) -> PlayerLimits:
    """Return the newest limits that count already."""
    return standing(changes, now_ms)[0]


def waiting(changes: Sequence[LimitsChange], now_ms: int) -> dict[str, Waiting]:
    """Return by name the limits that will become another, and what and when."""
    current, later = standing(changes, now_ms)
    before = asdict(current)
    found: dict[str, Waiting] = {}
    for change in later:
        limits = asdict(change.limits)
        found |= {
            name: Waiting(amount, change.effective_ms) for name, amount in limits.items() if amount != before[name]
        }
        before = limits
    return found


def changes_for(
    changes: Sequence[LimitsChange], asked: Mapping[str, int | None], now_ms: int, house_minutes: int
) -> list[LimitsChange]:
    """Return what a wish adds to a player's changes: nothing if it asks for what is so already, or will be.

    A limit that is not asked for keeps its value, and the time of what waits for it. `house_minutes` is what counts for
    who sets no interval of the reality check.
    """
    current, later = in_force(changes, now_ms), waiting(changes, now_ms)
    wished, waits = current, dict(later)
    for name, amount in asked.items():
        if not is_looser(name, amount, getattr(current, name), now_ms, house_minutes):
            wished = replace(wished, **{name: amount})
            waits.pop(name, None)
        elif name not in later or later[name].amount != amount:
            waits[name] = Waiting(amount, now_ms + DAY_MS)
    if (wished, waits) == (current, later):
        return []
    added = [LimitsChange(wished, now_ms)]
    for effective_ms in sorted({wait.effective_ms for wait in waits.values()}):
        due = {name: wait.amount for name, wait in waits.items() if wait.effective_ms == effective_ms}
        added.append(LimitsChange(replace(added[-1].limits, **due), effective_ms))
    return added


def is_looser(name: str, amount: int | None, current: int | None, now_ms: int, house_minutes: int) -> bool:
    """Tell whether a limit would bind less than it does; a pause that has passed binds no more."""
    if name in _PAUSES:
        return max(current or 0, now_ms) > max(amount or 0, now_ms)
    if name == _INTERVAL:
        return (amount or house_minutes) > (current or house_minutes)
    return current is not None and (amount is None or amount > current)


def may_change(
    made_today: int, current: PlayerLimits, asked: Mapping[str, int | None], now_ms: int, house_minutes: int
) -> bool:
    """Tell whether a player who has made so many changes within a day may make this one.

    Nobody is refused who halves an amount or doubles a pause at least: that can be done some forty times, no more.
    """
    if made_today < CHANGES_PER_DAY_MAX:
        return True
    changed = [(name, amount) for name, amount in asked.items() if amount != getattr(current, name)]
    return all(
        _is_much_tighter(name, amount, getattr(current, name), now_ms, house_minutes) for name, amount in changed
    )


def _is_much_tighter(name: str, amount: int | None, current: int | None, now_ms: int, house_minutes: int) -> bool:
    if name in _PAUSES:
        return max(amount or 0, now_ms) - now_ms > 2 * (max(current or 0, now_ms) - now_ms)
    if name == _INTERVAL:
        return 2 * (amount or house_minutes) < (current or house_minutes)
    return amount is not None and (current is None or 2 * amount < current)
