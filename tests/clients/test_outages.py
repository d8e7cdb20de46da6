"""The JavaScript account gives up on a house that stays silent, and says so."""

from __future__ import annotations

import pytest

from tests.clients.javascript import answer

# The house dies at the first bet; `patience` counts what the account was told while it waited.
DIES = """
const account = await client.Account.open(URL_OF_HOUSE);
house = (what) => { %s };
const wanted = { cellId: "1_2_3", stakeCents: 100, rateBp: 20_000 };
const begunMs = nowMs;
const failed = await thrown(() => %s);
say({ ...failed, afterS: (nowMs - begunMs) / 1000 });
"""
PLACES = {"place": "account.place(wanted)", "placeMany": "account.placeMany([wanted])"}
SILENT = 'return new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });'
BETS_LOST = f'if (what.endsWith("/api/bets")) {SILENT} return ANSWERS[what];'
PROXY_ALONE = "return [502, null];"


@pytest.mark.parametrize("call", PLACES)
@pytest.mark.parametrize("house", [SILENT, BETS_LOST, PROXY_ALONE])
def test_a_bet_at_a_house_that_stays_silent_is_given_up_on(call: str, house: str) -> None:
    told = answer(DIES % (house, PLACES[call]))
    assert (told["name"], told["message"][:17]) == ("LineError", "no answer for 60 ")
    # So long as the signature is good, until the bet is decided, and a minute of asking for it.
    assert 90 <= told["afterS"] <= 120


def test_a_pending_bet_is_asked_for_a_minute() -> None:
    pending = """if (what === "POST /api/bets") return { bet: { id: "b", status: "pending" }, balance: null };"""
    told = answer(DIES % (f"{pending} {SILENT}", PLACES["place"]))
    assert told["name"] == "LineError"
    assert 60 <= told["afterS"] <= 80


def test_a_login_at_a_silent_house_is_given_up_on() -> None:
    told = answer(f"house = () => {{ {SILENT} }}; say(await thrown(() => client.Account.open(URL_OF_HOUSE)));")
    assert told["name"] == "LineError"
    assert "ECONNREFUSED" in told["message"]
