"""A time as text: RFC 3339, UTC, always three digits of milliseconds."""

from __future__ import annotations

import pytest

from runtime.clock import rfc3339


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        pytest.param(0, "1970-01-01T00:00:00.000Z", id="the first"),
        pytest.param(1_790_000_000_007, "2026-09-21T14:13:20.007Z", id="leading zeros"),
        pytest.param(951_782_399_999, "2000-02-28T23:59:59.999Z", id="before a leap day"),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(ms: int, text: str) -> None:
    assert rfc3339(ms) == text
