"""`taptrade explain`: a bet for people and for machines, and what does not hold."""

from __future__ import annotations

import pytest
from rich.console import Console

from taptrade import tables
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.auth.logins import SESSION_KEY
from tests.taptrade.office import Office

PARTS = ("signed", "rate", "window", "decision", "money", "chain")


@pytest.fixture
def won(play: SignedPlay) -> str:
    bet_id = play.place()
    play.end(PRICE_CENTS)
    return bet_id


def test_a_bet_is_explained_in_full(office: Office, play: SignedPlay, won: str) -> None:
    said = office.run("explain", won)
    assert (said.code, said.err) == (0, "")
    head, sentence, _, *lines = said.out.splitlines()
    assert head.startswith(f"{won} of 0x")
    assert sentence.startswith("Won $1.00 x ")
    verdicts = [line.split()[:2] for line in lines if line[:1].strip()]
    assert verdicts == [[name, "holds"] for name in ("signed", "rate", "window", "result", "money", "chain")]
    text = said.out.lower()
    assert SESSION_KEY in text
    assert "| action: place_bet" in text
    assert "wants you to sign in" in text
    assert "bet -100 cents: 1000000 to 999900" in text
    for (digest,) in play.desk.database.execute("SELECT hash FROM commits WHERE number > 1"):
        assert digest in text


def test_an_open_bet_says_what_is_open(office: Office, play: SignedPlay) -> None:
    said = office.run("explain", play.place())
    assert said.code == 0
    assert "window   open   The column is not settled." in said.out


def test_machines_get_the_whole_proof(office: Office, won: str) -> None:
    said = office.run("explain", won.lower(), "--json")
    assert said.code == 0
    assert (said.json["bet"]["id"], said.json["proof"]["ok"]) == (won, True)
    assert [said.json["proof"][name]["ok"] for name in PARTS] == [True] * 6
    assert said.json["evidence"]["low"] == PRICE_CENTS


def test_what_does_not_hold_is_shown_and_the_exit_code_is_1(office: Office, play: SignedPlay, won: str) -> None:
    play.by_hand("UPDATE bets SET reward_rate = reward_rate + 1")
    said = office.run("explain", won)
    assert said.code == 1
    assert "rate     WRONG" in said.out
    assert "But the stored inputs and a house edge of 5 % give" in said.out
    assert office.run("explain", won, "--json").code == 1


@pytest.mark.parametrize("text", ["", "x", "\udcff", "9" * 5_000])
def test_what_is_no_id_is_told_without_a_look(office: Office, text: str) -> None:
    said = office.run("explain", text)
    assert (said.code, said.out) == (2, "")
    assert "is no id of a bet, which has 26 letters and digits" in said.err


def test_an_unknown_bet_is_told_in_a_sentence(office: Office, play: SignedPlay) -> None:
    unknown = play.desk.new_id()
    said = office.run("explain", unknown)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"taptrade: there is no bet {unknown} in the live database\n"


def test_without_recorded_ticks_the_evidence_still_speaks(
    office: Office, won: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taptrade.explain.open_ticks", lambda _: None)
    said = office.run("explain", won)
    assert said.code == 0
    assert "the recorded ticks were not looked at" in said.out


def test_a_model_that_cannot_be_loaded_is_named(office: Office, won: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", "nowhere:Model")
    said = office.run("explain", won)
    assert (said.code, "nowhere" in said.err) == (2, True)


def test_people_on_a_terminal_get_a_table(
    office: Office, play: SignedPlay, won: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "Console", lambda: Console(force_terminal=True, width=300))
    assert "\x1b[32mholds\x1b[0m" in office.run("explain", won).out
    listed = office.run("withdrawal", "list").out
    assert "requested" in listed
    assert "\t" not in listed


def test_nothing_that_somebody_wrote_is_obeyed_by_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_table(("why",), [("\x1b[2J red",)])
    assert capsys.readouterr().out == "why\n\N{REPLACEMENT CHARACTER}[2J red\n"
