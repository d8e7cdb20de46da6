"""`taptrade recompute`: an honest span differs in nothing, and whatever was changed behind it is named."""

from __future__ import annotations

import pytest

from runtime.clock import rfc3339
from runtime.explanation import recomputed
from tests.jobs.court import END_MS, START_MS, START_S
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS
from tests.taptrade.office import Office, Said

SPAN = ("--from", rfc3339(START_MS - 60_000), "--to", rfc3339(START_MS + 60_000))


@pytest.fixture
def settled(play: SignedPlay) -> dict[str, str]:
    """Return bets that were settled, by how they ended: two of one column, one of another that is void."""
    won, lost, void = play.bet(), play.bet(rows=3), play.bet(columns=5)
    play.desk.place(won, lost, void)
    play.end(PRICE_CENTS, PRICE_CENTS + 100)
    play.court.at(END_MS + 10_000 + 61_000)
    assert play.court.settler.run() == 1
    play.desk.work()
    bets = {"won": won.id, "lost": lost.id, "void": void.id}
    assert {how: play.court.status(bet_id) for how, bet_id in bets.items()} == {how: how for how in bets}
    return bets


def recompute(office: Office, *more: str) -> Said:
    return office.run("recompute", *SPAN, *more)


def test_an_honest_span_differs_in_nothing(office: Office, settled: dict[str, str]) -> None:
    said = recompute(office, "--json")
    assert (said.code, said.json["differences"], said.json["ok"]) == (0, [], True)
    counts = ("columns", "columns_from_ticks", "bets", "bets_from_ticks", "rates")
    assert [said.json[name] for name in counts] == [2, 2, 3, 3, 3]
    assert settled
    said = recompute(office)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"{SPAN[1]} to {SPAN[3]}",
        "decided anew from the evidence: 3 bets of 2 columns",
        "from the recorded ticks too: 3 bets of 2 columns",
        "recomputed from stored inputs: 3 rates",
        "nothing differs",
    ]


@pytest.mark.parametrize("page", [1, 2, 250])
def test_every_page_of_a_column_is_walked(
    office: Office, settled: dict[str, str], monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(recomputed, "PAGE_BETS", page)
    assert recompute(office, "--json").json["bets"] == len(settled)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            "UPDATE bets SET status = 'won', payout_amount = 500 WHERE id = '{lost}'",
            [("result", "evidence and ticks", "lost", ["won", 500], ["lost", 0])],
            id="a loss made a win",
        ),
        pytest.param(
            "UPDATE bets SET payout_amount = payout_amount + 1 WHERE id = '{won}'",
            [("result", "evidence and ticks", "won", None, None)],
            id="a payout",
        ),
        pytest.param(
            "UPDATE transaction_ledger SET amount = amount + 1 WHERE ref_type = 'PAYOUT' AND ref_id = '{won}'",
            [("paid", "evidence", "won", None, None)],
            id="what was paid",
        ),
        pytest.param(
            "UPDATE bets SET status = 'lost', payout_amount = 0 WHERE id = '{void}'",
            [("result", "evidence and ticks", "void", ["lost", 0], ["void", 0])],
            id="a void",
        ),
        pytest.param(
            "UPDATE columns SET high = high + 1000000 WHERE start_s = {column}",
            [("evidence", "ticks", None, None, None), ("result", "evidence", "lost", ["lost", 0], None)],
            id="the evidence",
        ),
        pytest.param(
            "UPDATE bets SET reward_rate = reward_rate + 1 WHERE id = '{lost}'",
            [("rate", "brownian-touch 1-edge500-column5", "lost", None, None)],
            id="a rate",
        ),
    ],
)
def test_a_difference_is_named(
    office: Office,
    play: SignedPlay,
    settled: dict[str, str],
    sql: str,
    expected: list[tuple[str, str, str | None, object, object]],
) -> None:
    play.by_hand(sql.format(**settled, column=START_S))
    said = recompute(office, "--json")
    assert said.code == 1
    found = [each for each in said.json["differences"] if each["what"] != "paid" or expected[0][0] == "paid"]
    assert [(each["what"], each["by"], each["bet_id"]) for each in found] == [
        (what, by, settled.get(whose or "")) for what, by, whose, _, _ in expected
    ]
    for each, (_, _, _, stored, again) in zip(found, expected, strict=True):
        assert each["stored"] != each["recomputed"]
        assert stored is None or each["stored"] == stored
        assert again is None or each["recomputed"] == again
    plain = recompute(office)
    assert plain.code == 1
    assert all((each["bet_id"] or f"column {START_S}") in plain.out for each in found)
    assert plain.out.splitlines()[-1] == f"{said.json['differences_found']} differences"


def test_a_tick_that_was_changed_is_named_by_its_columns_evidence(
    office: Office, play: SignedPlay, settled: dict[str, str]
) -> None:
    play.court.ticks.execute("UPDATE ticks SET high = high + 100000 WHERE id = ?", (START_MS + 300,))
    found = recompute(office, "--json").json["differences"]
    assert [(each["what"], each["bet_id"]) for each in found] == [("evidence", None), ("result", settled["lost"])]
    assert found[0]["recomputed"].keys() == {"high", "ticks_sha256"}
    assert (found[1]["by"], found[1]["recomputed"][0]) == ("ticks", "won")


def test_without_the_ticks_the_evidence_alone_is_asked(
    office: Office, play: SignedPlay, settled: dict[str, str]
) -> None:
    play.court.ticks.execute("DELETE FROM ticks WHERE id < ?", (END_MS,))
    counted = recompute(office, "--json").json
    assert (counted["ok"], counted["bets"], counted["columns_from_ticks"]) == (True, len(settled), 1)


def test_a_rate_of_a_model_that_is_not_here_is_counted_as_such(
    office: Office, play: SignedPlay, settled: dict[str, str]
) -> None:
    play.by_hand(f"UPDATE bets SET model_version = '0' WHERE id = '{settled['won']}'")
    said = recompute(office)
    assert (said.code, said.out.splitlines()[-2]) == (0, "1 rates not recomputed: model brownian-touch 0")
    counted = recompute(office, "--json").json
    assert (counted["rates"], counted["rates_not_recomputed"]) == (
        2,
        [{"model": "brownian-touch", "version": "0", "bets": 1}],
    )


def test_under_another_edge_or_model_the_bets_of_before_are_recomputed_by_theirs(
    office: Office, settled: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPTRADE_HOUSE_EDGE_BP", "700")
    assert recompute(office, "--json").json["rates"] == len(settled)
    monkeypatch.setenv("TAPTRADE_REWARD_MODEL", f"{__name__}:Flat")
    counted = recompute(office, "--json").json
    assert (counted["ok"], counted["rates"]) == (True, len(settled))


class Flat:
    """A model under which no bet was placed."""

    id = "flat"
    version = "1"

    def __init__(self, *_: object) -> None:
        """Take what a model is built from."""

    def rate_bp(self, *_: object) -> int:
        """Price every cell alike."""
        return 20_000


def test_what_is_not_settled_yet_is_counted_and_is_no_difference(office: Office, play: SignedPlay) -> None:
    play.place()
    counted = recompute(office, "--json").json
    assert (counted["ok"], counted["columns"], counted["unsettled_columns"]) == (True, 0, 1)
    assert "not settled yet: 1 columns, 0 bets" in recompute(office).out


def test_a_span_is_the_columns_that_start_in_it(office: Office, settled: dict[str, str]) -> None:
    def columns(from_ms: int, to_ms: int) -> int:
        counted: int = office.run("recompute", "--from", from_ms, "--to", to_ms, "--json").json["columns"]
        return counted

    assert settled
    assert columns(START_MS, START_MS + 1) == columns(START_MS - 999, START_MS + 10_000) == 1
    assert columns(START_MS + 1, START_MS + 10_000) == 0
    assert columns(START_MS + 1, START_MS + 10_001) == 1
    assert office.run("recompute", "--from", START_MS, "--to", START_MS).code == 2
