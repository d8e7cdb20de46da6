"""A refusal whose code is a function's own is declared beside it: answered, described, and given by one file only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.errors import OwnRefusal
from runtime.function_files import DiscoveryError
from runtime.settings import Settings
from runtime.web.discovery import discover
from runtime.web.openapi import document
from taptrade.trial import open_trial

TIP = '''
from __future__ import annotations

from runtime.function import Call, OwnRefusal, function


class TipTooHigh(OwnRefusal, code="TIP_TOO_HIGH", status=422, retryable=True):
    """The tip is more than
    anyone may give."""

    most_cents: int
    """The most that may be given."""


@function("GET", "/api/tip", auth="none", summary="Tip", errors=("NOT_FOUND", TipTooHigh))
def tip(call: Call[None]) -> None:
    raise TipTooHigh(most_cents=500)


@function("POST", "/api/tip", auth="none", summary="Tip", errors=(TipTooHigh,))
def tip_again(call: Call[None]) -> None:
    raise TipTooHigh("Not today.", most_cents=0)
'''


def test_it_is_answered_with_its_code_its_sentence_and_what_it_carries(
    tmp_path: Path, settings: Settings, clock: ManualClock
) -> None:
    (tmp_path / "tip.py").write_text(TIP)
    with open_trial(settings, clock, tmp_path) as trial:
        told = [trial.call(method, "/api/tip") for method in ("GET", "POST")]
    assert [one.status_code for one in told] == [422, 422]
    shown = ("code", "detail", "most_cents", "retryable")
    assert [tuple(one.json[name] for name in shown) for one in told] == [
        ("TIP_TOO_HIGH", "The tip is more than anyone may give.", 500, True),
        ("TIP_TOO_HIGH", "Not today.", 0, True),
    ]


def test_it_is_described(tmp_path: Path) -> None:
    (tmp_path / "tip.py").write_text(TIP)
    api: dict[str, Any] = msgspec.json.decode(document(discover(tmp_path), "v1"))
    refused = api["paths"]["/api/tip"]["get"]["responses"]["422"]
    assert (refused["x-codes"], "Retry-After" in refused["headers"]) == (["TIP_TOO_HIGH"], True)
    schema = api["components"]["schemas"]["TipTooHighProblem"]
    assert schema["properties"]["code"]["enum"] == ["TIP_TOO_HIGH"]
    said = schema["properties"]["most_cents"]
    assert (said["type"], said["description"]) == ("integer", "The most that may be given.")
    assert {"most_cents", "detail"} <= set(schema["required"])


def test_a_code_has_one_meaning(tmp_path: Path) -> None:
    (tmp_path / "tip.py").write_text(TIP)
    (tmp_path / "top.py").write_text(TIP.replace("/api/tip", "/api/top"))
    with pytest.raises(DiscoveryError, match=r"the code TIP_TOO_HIGH is declared in .*tip\.py already"):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("code", "status", "meaning", "reason"),
    [
        ("tip", 422, "Too high.", "is no code of its own"),
        ("NOT_FOUND", 404, "Too high.", "is no code of its own"),
        ("TIP", 200, "Too high.", "refuses nothing"),
        ("TIP", 422, "", "has no meaning"),
    ],
)
def test_what_is_no_refusal_is_named(code: str, status: int, meaning: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        type("Tip", (OwnRefusal,), {"__doc__": meaning}, code=code, status=status)


def test_it_carries_what_it_declares(tmp_path: Path) -> None:
    class Tip(OwnRefusal, code="TIP", status=409):
        """Too high."""

        most_cents: int

    assert Tip(most_cents=5).most_cents == 5
    with pytest.raises(TypeError, match="Tip carries most_cents, not most"):
        Tip(most=5)
