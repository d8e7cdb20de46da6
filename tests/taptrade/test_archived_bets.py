"""`taptrade explain` and `taptrade dispute` about weeks that were archived."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.archive.files import kept_file
from tests.jobs.upkeep.shelf import Shelf
from tests.taptrade.office import Office


@pytest.fixture
def shelf(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return a shelf whose only week is archived."""
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", "runtime.game.rewards:BrownianTouch")
    shelf = Shelf(office.desk, tmp_path)
    shelf.play_week(open_over_its_end=False)
    return shelf


def put_away(shelf: Shelf) -> list[str]:
    """Archive the week; return the ids of its bets."""
    ids = [row[0] for row in shelf.desk.database.execute("SELECT id FROM bets ORDER BY seq")]
    shelf.on_sunday()
    shelf.archive()
    assert shelf.live("bets") == []
    return ids


def test_a_bet_is_explained_from_its_week(office: Office, shelf: Shelf) -> None:
    for bet_id in put_away(shelf):
        told = office.run("explain", bet_id, "--json").json
        assert told["bet"]["id"] == bet_id
        proof = told["proof"]
        assert [proof[part]["ok"] for part in ("rate", "money", "chain")] in ([True, True, True], [None, True, True])
        assert proof["decision"]["ok"] in (True, None)


def test_a_week_that_is_not_here_is_named(office: Office, shelf: Shelf) -> None:
    bet_id, *_ = put_away(shelf)
    week = shelf.weeks[0]
    kept_file(shelf.settings.data, week).unlink()
    said = office.run("explain", bet_id)
    assert (said.code, said.out) == (2, "")
    assert f"taptrade archive restore {week.name}" in said.err
    assert office.run("dispute", shelf.players[0], "--week", week.name).code == 2
    assert office.run("archive", "restore", week.name).code == 0
    assert office.run("explain", bet_id, "--json").json["bet"]["id"] == bet_id
    unknown = office.run("explain", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    assert (unknown.code, "archive" in unknown.err) == (2, False)


def test_a_dispute_about_a_week_adds_up(office: Office, shelf: Shelf) -> None:
    user = shelf.players[0]
    before = office.run("dispute", user, "--json").json
    put_away(shelf)
    told = office.run("dispute", user, "--week", shelf.weeks[0].name, "--json")
    assert (told.code, told.err) == (0, "")
    for field in ("opening_balance", "closing_balance", "entries", "bets", "totals"):
        assert told.json[field] == before[field]
    live = office.run("dispute", user, "--json")
    assert live.code == 0
    assert "lies in archived weeks" in live.err
    assert live.json["opening_balance"] == live.json["closing_balance"] == before["closing_balance"]
    shelf.bets(user)
    assert office.run("dispute", user, "--json").json["adds_up"]
