"""What a request may come to instead of an answer: the API's refusal, or a line on which nothing came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from taptrade.views import BetView, ToldTap


class ApiError(Exception):
    """The API refused a request; `code` is stable, `arguments` are the problem's typed extras."""

    def __init__(
        self, status: int, code: str, detail: str, arguments: Mapping[str, Any], retry_after_s: float | None
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.arguments = arguments
        self.retry_after_s = retry_after_s

    @property
    def bet(self) -> BetView | None:
        """The existing bet that REPLAYED_NONCE and DUPLICATE_BET carry, if there is one."""
        found = self.arguments.get("bet")
        return None if found is None else msgspec.convert(found, BetView)

    @property
    def taps(self) -> tuple[ToldTap, ...]:
        """What the REPLAYED_NONCE of a gesture tells of each of its taps."""
        return msgspec.convert(self.arguments.get("taps", ()), tuple[ToldTap, ...])


class NoAnswerError(Exception):
    """Nothing came for as long as one was ready to wait; what was asked may have been done all the same."""


def api_error(response: httpx.Response) -> ApiError:
    """Read a problem+json answer; one that is none (a proxy's page) keeps its status as code."""
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    code = str(problem.get("code") or f"HTTP_{response.status_code}")
    detail = str(problem.get("detail") or response.reason_phrase)
    if problem.get("field"):
        detail = f"{problem['field']}: {detail}"
    after = response.headers.get("Retry-After", "")
    return ApiError(response.status_code, code, detail, problem, float(after) if after.isdecimal() else None)
