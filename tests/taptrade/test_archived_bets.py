"""`taptrade explain` and `taptrade dispute` about weeks that were archived."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.archive.files import kept_file
from tests.jobs.signed_play import SignedPlay
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


def test_a_bet_is_explained_where_its_week_is_stored(office: Office, shelf: Shelf) -> None:
    week, (bet_id, *_) = shelf.weeks[0], put_away(shelf)
    here = office.run("explain", bet_id, "--json")
    assert (here.json["archive"]["ok"], here.json["archive"]["requests"], here.err) == (True, 0, "")
    kept_file(shelf.settings.data, week).unlink()
    stored = office.run("explain", bet_id, "--json")
    archive = stored.json["archive"]
    assert (stored.code, stored.json | {"archive": None}) == (here.code, here.json | {"archive": None})
    assert archive["finding"] == here.json["archive"]["finding"]
    assert stored.err == f"read {archive['read_bytes']} bytes of {week.file}.zst in {archive['requests']} requests\n"
    assert 0 < archive["read_bytes"] <= (shelf.settings.data / "archives" / f"{week.file}.zst").stat().st_size
    assert re.search(
        rf"^archive +holds +Week {week.name}: the live ledger has", office.run("explain", bet_id).out, re.MULTILINE
    )
    assert not kept_file(shelf.settings.data, week).exists()
    unknown = office.run("explain", f"{bet_id[:-6]}ZZZZZZ")
    assert (unknown.code, f"nor in {week.file}.zst" in unknown.err) == (2, True)
    unknown = office.run("explain", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    assert (unknown.code, "zst" in unknown.err) == (2, False)
    assert office.run("dispute", shelf.players[0], "--week", week.name).code == 2


def test_an_archive_that_is_not_what_the_chain_says_is_refused(office: Office, shelf: Shelf) -> None:
    week, (bet_id, *_) = shelf.weeks[0], put_away(shelf)
    kept_file(shelf.settings.data, week).unlink()
    stored = shelf.settings.data / "archives" / f"{week.file}.zst"
    whole = bytearray(stored.read_bytes())
    whole[len(whole) // 2] ^= 1
    stored.write_bytes(whole)
    said = office.run("explain", bet_id)
    assert (said.code, said.out) == (2, "")
    assert re.search(r"its frame \d+ is not what was stored", said.err)
    whole[len(whole) // 2] ^= 1
    stored.write_bytes(whole)
    shelf.desk.database.execute("DROP TRIGGER archives_are_append_only")
    shelf.desk.database.execute("UPDATE archives SET stored_as = stored_as || '2'")
    stored.rename(stored.with_name(f"{stored.name}2"))
    said = office.run("explain", bet_id)
    assert (said.code, "the record of the archive is not what its commit wrote" in said.out) == (1, True)


def test_an_archive_without_an_index_is_read_whole(
    office: Office, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.upkeep.archive.index_of", lambda _: (0, ""))
    week, (bet_id, *_) = shelf.weeks[0], put_away(shelf)
    kept_file(shelf.settings.data, week).unlink()
    said = office.run("explain", bet_id)
    assert (said.code, said.out) == (2, "")
    assert f"taptrade archive restore {week.name}" in said.err
    assert office.run("archive", "restore", week.name).code == 0
    assert office.run("explain", bet_id, "--json").json["bet"]["id"] == bet_id


def test_a_login_of_the_week_before_is_found_in_the_live_ledger(office: Office, play: SignedPlay, shelf: Shelf) -> None:
    shelf.at(shelf.weeks[0].end_ms + 7_200_000)
    bet = shelf.desk.bet(play.user_id, delegation_id=play.delegation_id)
    shelf.desk.place(bet)
    shelf.desk.clock.advance(60_000)
    shelf.settle(bet)
    shelf.weeks.append(shelf.weeks[0].following)
    shelf.on_sunday()
    while shelf.archive():
        pass
    for week in shelf.weeks:
        kept_file(shelf.settings.data, week).unlink()
    told = office.run("explain", bet.id, "--json").json
    assert (told["archive"]["week"], told["archive"]["ok"]) == (shelf.weeks[1].name, True)
    positions = {one["what"]: one for one in told["proof"]["chain"]["positions"]}
    assert {what: one["hash_holds"] for what, one in positions.items()} == {
        **dict.fromkeys(("placed", "evidence", "resolved"), True),
        "delegated": None,
    }
    assert all(one["row_holds"] and one["links_hold"] for one in positions.values())


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
