"""What exchanges say in their frames, in words that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal, TypeAlias

import msgspec

DOLLARS_MAX = 100_000_000
MS_MIN, MS_MAX = 10**12, 10**13
"""Times of an exchange before 2001 and after 2286 are none."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Price:
    """One price of BTC in cents."""

    kind: Literal["quote", "trade"]
    """The middle of the best bid and ask, or what was paid."""
    order: int | None
    """Rises from price to price of a kind within a connection; None where the exchange gives nothing that does."""
    exchange_ms: int | None
    """The exchange's own time of it, where it gives one."""
    cents: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that is no price of ours, to be counted by reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """The exchange complains, or gives less than it was asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The exchange is about to close the connection and wants another to be opened."""

    text: str


@dataclass(frozen=True, slots=True)
class Trading:
    """Whether the market is open: what is quoted while it is not is no price."""

    is_open: bool
    state: str


Said: TypeAlias = Price | Dropped | Trouble | Reconnect | Trading
GARBAGE = Dropped("garbage")
OTHER_SYMBOL = Dropped("other_symbol")
UNASKED = Dropped("unasked")
"""About our symbol, from a channel that nobody subscribed to."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange: where to connect, what to send first, and how its frames are understood."""

    name: str
    url: str
    opening: tuple[str, ...]
    understand: Callable[[bytes], Sequence[Said]]

    def read(self, frame: bytes) -> Sequence[Said]:
        """Return what a frame says, nothing of acknowledgements and heartbeats; raise nothing, whatever it holds."""
        try:
            return self.understand(frame)
        except (ValueError, RecursionError):  # not JSON, not as agreed, or nested without end
            return (GARBAGE,)


def quote(bid: Decimal, ask: Decimal, order: int | None, exchange_ms: int | None) -> Said:
    """Return the middle of the best bid and ask, half a cent rounded to the even one."""
    wrong = _wrong(bid) or _wrong(ask)
    if wrong:
        return wrong
    if bid > ask:
        return Dropped("crossed")
    return Price("quote", order, _sane(exchange_ms), _whole((bid + ask) * 50))


def trade(price: Decimal, order: int, exchange_ms: int | None) -> Said:
    """Return what was paid."""
    return _wrong(price) or Price("trade", order, _sane(exchange_ms), _whole(price * 100))


def microseconds(moment: datetime) -> int:
    """Return Unix microseconds, exactly."""
    return (moment - EPOCH) // MICROSECOND


def _wrong(dollars: Decimal) -> Dropped | None:
    if not dollars.is_finite() or dollars >= DOLLARS_MAX:
        return GARBAGE
    # What is less than half a cent would be rounded to nothing.
    return Dropped("zero") if dollars < Decimal("0.01") else None


def _whole(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), ROUND_HALF_EVEN))


def _sane(exchange_ms: int | None) -> int | None:
    return exchange_ms if exchange_ms is not None and MS_MIN <= exchange_ms < MS_MAX else None
