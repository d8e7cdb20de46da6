"""`taptrade market`: how the buckets stand, and the operator's word that opens one."""

from __future__ import annotations

import pytest

from runtime.audit import audit
from tests.jobs.long_shots import OWN, WHOLE, closed, settle_all, tap, win
from tests.taptrade.office import Office

AUTHORITY = ("--who", "ann", "--why", "a new fit")
HEAD = ["bucket", "bets", "staked", "return", "e-value", "standing", "since", "who", "why"]


@pytest.fixture
def milked(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return an office whose players' long shots have won until they were closed, under the desk's own model."""
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", "runtime.game.rewards:BrownianTouch")
    win(office.desk, office.desk.player(), 30)
    settle_all(office.desk)
    return office


def table(office: Office, *arguments: str) -> dict[str, list[str]]:
    """Return the rows that the command prints, by bucket."""
    head, *rows = [line.split("\t") for line in office.run("market", *arguments).out.splitlines()]
    assert head == HEAD
    return {row[0]: row for row in rows}


def test_without_bets_there_is_a_head_only(office: Office) -> None:
    assert table(office) == {}
    assert office.run("market", "--json").json == []


def test_the_table_tells_of_every_bucket(milked: Office) -> None:
    shown = table(milked)
    assert list(shown) == [WHOLE.name, OWN.name]
    assert shown == table(milked, "list")
    name, bets, staked, back, wealth, standing, since, who, why = shown[OWN.name]
    assert (name, standing, who) == ("20-50x/3", "closed", "house")
    assert int(bets) * 100 == int(staked.removeprefix("$").replace(".", ""))
    assert float(back) > 20
    assert float(wealth) > 10_000
    assert since.endswith("Z")
    assert why.startswith("copying its bets made ")
    assert shown[WHOLE.name][5:] == ["open", "", "", ""]


def test_json_has_every_figure(milked: Office) -> None:
    whole, own = milked.run("market", "--json").json
    assert (whole["column"], own["column"], own["standing"], own["rate_from_bp"]) == (None, 3, "closed", 200_000)
    assert own["paid_back"] == own["paid_cents"] / own["staked_cents"]
    assert own["e_value"] >= 10_000


def test_buckets_of_other_models_are_shown_when_asked_for(milked: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_HOUSE_EDGE_BP", "600")
    assert table(milked) == {}
    lines = milked.run("market", "--all").out.splitlines()
    assert lines[0].split("\t") == ["model", *HEAD]
    assert [line.split("\t")[0] for line in lines[1:]] == ["brownian-touch 1-edge500-column5"] * 2


def test_the_operator_opens_a_bucket_with_who_and_why(milked: Office) -> None:
    said = milked.run("market", "open", OWN.name, *AUTHORITY)
    assert (said.code, said.err) == (0, "")
    assert said.out == "bucket 20-50x/3 is open: its bets are taken, and the evidence against it begins anew\n"
    assert closed(milked.desk) == []
    assert table(milked)[OWN.name][1:6] == ["0", "$0.00", "", "1", "open"]
    assert table(milked)[OWN.name][7:] == ["ann", "a new fit"]
    assert tap(milked.desk, milked.desk.player(2)).code is None
    assert audit(milked.desk.database).faults == []


def test_an_open_bucket_is_not_opened(milked: Office) -> None:
    said = milked.run("market", "open", WHOLE.name, *AUTHORITY)
    assert (said.code, said.out) == (1, "")
    assert said.err == "refused, BUCKET_OPEN: The bucket 20-50x/all is open.\n"
    told = milked.run("market", "open", "5-10x/2", *AUTHORITY, "--json")
    assert (told.code, told.json["code"]) == (1, "NOT_FOUND")


def test_what_is_no_bucket_is_named_with_its_form(milked: Office) -> None:
    said = milked.run("market", "open", "20x", *AUTHORITY)
    assert said.code == 2
    assert "'20x' is no bucket: write 20-50x/7 or 20-50x/all; rates end at 1.05, 1.5, 2, 5, 10, 20, 50, 100" in said.err


def test_why_must_be_said(milked: Office) -> None:
    assert milked.run("market", "open", OWN.name, "--who", "ann").code == 2
    assert closed(milked.desk) == [OWN.name]


def test_without_an_answer_nobody_knows_and_the_next_step_is_said(milked: Office) -> None:
    milked.writer_works = False
    said = milked.run("market", "open", OWN.name, *AUTHORITY, "--wait", "0.05")
    assert said.code == 3
    assert "It may still happen: look at `taptrade market` before you repeat it." in said.err
