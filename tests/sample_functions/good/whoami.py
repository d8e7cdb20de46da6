"""GET /api/whoami: a session if there is one."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function


class Who(msgspec.Struct, frozen=True):
    """The wallet, if signed in."""

    wallet: str | None


@function("GET", "/api/whoami", auth="optional", summary="Who am I", response=Who)
def whoami(call: Call[None]) -> Who:
    """Tell the wallet."""
    return Who(call.session.wallet if call.session else None)
