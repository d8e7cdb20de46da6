"""A refusal keeps its code and its sentence in JavaScript, whichever way it became known."""

from __future__ import annotations

import pytest

from tests.clients.javascript import answer

SENTENCE = "The rate is 18000 now."
# The first answer to the tap is lost; the repeat brings what is stored.
LOSES = """
const refused = { id: "b", status: "refused", refusal_code: "RATE_MOVED", refusal_detail: "The rate is 18000 now." };
const account = await client.Account.open(URL_OF_HOUSE);
let sent = 0;
house = (what) => {
  if (what === "POST /api/bets") {
    sent += 1;
    return sent === 1 ? new TypeError("fetch failed") : %s;
  }
  return { "GET /api/bets": { bets: %s }, "GET /api/bets/b": { bet: refused, explanation: "" } }[what];
};
const wanted = { cellId: "1_2_3", stakeCents: 100, rateBp: 20_000 };
const { code, problem } = await account.place(wanted);
say({ code, detail: problem.detail, inProblem: problem.code });
"""
WAYS = {
    "the nonce is known": ('[409, { code: "REPLAYED_NONCE", bet: refused }]', "[]"),
    "it is decided later": ('{ bet: { id: "b", status: "pending" }, balance: null }', "[]"),
    "it is looked up": ('new TypeError("fetch failed")', "[refused]"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_after_a_lost_answer_keeps_its_sentence(way: str) -> None:
    assert answer(LOSES % WAYS[way]) == {"code": "RATE_MOVED", "detail": SENTENCE, "inProblem": "RATE_MOVED"}


def test_a_bet_that_was_never_placed_is_told_in_a_sentence() -> None:
    told = answer(LOSES % ('new TypeError("fetch failed")', "[]"))
    assert told["code"] == told["inProblem"] == "BET_NEVER_PLACED"
    assert told["detail"] == "The bet was lost on its way; no money was taken."
