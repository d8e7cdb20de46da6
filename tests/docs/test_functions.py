"""The guide to functions: its very commands, in a checkout of a developer's own."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.function_files import functions_folder
from runtime.settings import Settings
from runtime.web.discovery import discover
from runtime.web.openapi import document
from taptrade.trial import open_trial
from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = [pytest.mark.timeout(180), pytest.mark.integration]


def answer_in(told: str) -> dict[str, Any]:
    """Return the JSON object that a command has printed among other lines."""
    found: dict[str, Any] = json.loads(told[told.index("\n{") : told.index("\n}") + 2])
    return found


def test_the_guide_leads_from_nothing_to_three_functions_with_tests(checkout: Path) -> None:
    guide = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    page, environment = section(guide, "From nothing to three functions"), {"TAPTRADE_DATA": str(checkout / "data")}
    (example,) = [one for one in blocks(section(guide, "Testing"), "python") if "trial.settle" in one]
    (checkout / "tests" / "functions" / "test_what_is_bet.py").write_text(example, encoding="utf-8")
    tried = ".venv/bin/python -m pytest -q tests/functions/test_what_is_bet.py"
    endpoint, taking, _, tables, others, listed, bet = run([*blocks(page), tried], checkout, environment)
    assert ("1 passed" in bet, tables) == (True, "")
    assert answer_in(endpoint)["said"] == "Hello, Ada."
    assert answer_in(taking) == {"said": "hello hello"}
    assert ("2 passed" in endpoint, "3 passed" in taking) == (True, True)
    assert "0" in others.splitlines()
    assert re.search(r'^"[0-9A-Z]{26}"$', others, re.MULTILINE)
    assert "2 passed" in others
    assert [line.split("\t")[:2] for line in listed.splitlines()[1:]] == [
        ["count_commits", "every 10 s"],
        ["hello", "GET /api/hello"],
        ["note_bet", "event bet.confirmed"],
        ["say_again", "POST /api/say-again"],
    ]
    codes = (checkout / "docs" / "api.md").read_text(encoding="utf-8")
    assert "| `SAY_AGAIN_TOO_LONG` | 422 |  | That is too long to be said. |" in codes
    assert "| `note_bet` | event bet.confirmed |" in (checkout / "docs" / "functions.md").read_text(encoding="utf-8")
    assert "`GET /api/hello`" in (checkout / "docs" / "api.md").read_text(encoding="utf-8")


def test_what_is_made_for_each_session_and_for_several_events_passes_its_own_tests(checkout: Path) -> None:
    made = [
        f"{name}_{auth} --http '{method} {folder}/{name}-{auth}' --auth {auth}"
        for name, method in (("ask", "GET"), ("tell", "POST"))
        for auth, folder in (("session", "/api"), ("optional", "/api"), ("operator", "/api/operate"))
    ]
    made += ["ended --event bet.won,bet.lost", "settled --event bet.void --event column"]
    tests = " ".join(f"tests/functions/test_{one.split()[0]}.py" for one in made)
    commands = "\n".join(f".venv/bin/taptrade new {one}" for one in made)
    _, told, invoked = run(
        [commands, f".venv/bin/python -m pytest -q {tests}", ".venv/bin/taptrade invoke ask_operator"], checkout, {}
    )
    assert "23 passed" in told
    assert json.loads(invoked)["said"] == "Hello, you."


def test_the_recipe_lists_a_players_own_bets_with_a_time(
    tmp_path: Path, settings: Settings, clock: ManualClock
) -> None:
    guide = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    (recipe,) = [one for one in blocks(guide, "python") if "/api/wins" in one]
    # Not as the package `functions`, which is the project's.
    others = shutil.ignore_patterns("__init__.py")
    folder = Path(shutil.copytree(functions_folder(), tmp_path / "functions", ignore=others))
    (folder / "wins.py").write_text(recipe, encoding="utf-8")
    with open_trial(settings, clock, folder) as trial:
        player, other = trial.sign_in(), trial.sign_in()
        won, lost = trial.bet(player), trial.bet(player)
        end = trial.settle(won, "won")
        trial.settle(trial.bet(other), "won")
        trial.settle(lost, "lost")
        [told] = trial.call("GET", "/api/wins", headers=player).json["wins"]
    assert (told["id"], told["payout_cents"]) == (won.id, end.data["payout_amount"])
    ended_at = [datetime.fromisoformat(text) for text in (told["ended_at"], end.data["resolved_at"])]
    assert ended_at[0] == ended_at[1]
    api = msgspec.json.decode(document(discover(folder), "v1"))
    shown = api["components"]["schemas"]["Win"]["properties"]
    assert {name for name, field in shown.items() if field.get("format") == "date-time"} == {"ended_at"}
