"""Rows are stored in few bytes and shown as they were, and the database itself pays no bet twice."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import IntegrityError

from runtime.audit import audit
from runtime.game.bets import from_row
from runtime.game.ledger import SQL
from runtime.game.rows import SIGNATURE_BYTES_MAX, packed
from runtime.personal.seal import key_of, opened_bet
from tests.jobs.writer_desk import PRICE_CENTS, Desk


@pytest.mark.parametrize(
    ("changes", "types"),
    [
        pytest.param({"nonce": "0123456789abcdef"}, ("blob", "blob", "blob"), id="digits"),
        pytest.param({"nonce": "0123456789ABCDEF"}, ("text", "blob", "blob"), id="capitals"),
        pytest.param({"nonce": "01 23 45 67 89"}, ("text", "blob", "blob"), id="blanks"),
        pytest.param({"nonce": "0123456789abcde"}, ("text", "blob", "blob"), id="half a byte"),
        pytest.param({"signature": "0x" + "AB" * 65}, ("text", "text", "blob"), id="another signature"),
        pytest.param({"signature": "", "signer": "p256:02ab"}, ("text", "text", "text"), id="no digits"),
    ],
)
def test_texts_of_digits_are_bytes_and_any_other_stays_a_text(
    desk: Desk, changes: dict[str, Any], types: tuple[str, ...]
) -> None:
    bet = desk.bet(desk.player(), **changes)
    assert desk.place(bet)[0].code is None
    (row,) = desk.database.execute(SQL["bet"], (bet.id,))
    stored = from_row(row)
    assert stored.signature.startswith("sealed:") == bool(bet.signature)
    shown = opened_bet(stored, key_of(desk.database.execute, bet.user_id))
    assert (shown.nonce, shown.signature, shown.signer) == (bet.nonce, bet.signature, bet.signer)
    assert desk.database.execute("SELECT typeof(nonce), typeof(signature), typeof(signer) FROM bet_rows") == [types]
    assert audit(desk.database).faults == []


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0x" + "ab" * 65, bytes.fromhex("ab" * 65)),
        ("0x" + "ab" * 66, "0x" + "ab" * 66),
        ("0x" + "AB" * 65, "0x" + "AB" * 65),
        ("", ""),
        ("sealed:" + "ab" * 81, bytes.fromhex("ab" * 81)),
        ("sealed:" + "ab" * 18, "sealed:" + "ab" * 18),
    ],
    ids=["digits", "too many", "capitals", "nothing", "sealed", "sealed short"],
)
def test_bytes_are_stored_where_their_number_tells_what_they_are(text: str, stored: bytes | str) -> None:
    assert packed(text, SIGNATURE_BYTES_MAX) == stored


def test_bets_in_a_row_name_one_pricing_and_each_other_kind_its_own(desk: Desk) -> None:
    user = desk.player()
    first = [desk.bet(user, columns=columns) for columns in (3, 4)]
    desk.place(*first, desk.bet(user, columns=3, rows=1, amount=7))
    desk.place(desk.bet(user, columns=5))
    assert desk.database.execute("SELECT seq, pricing FROM bet_rows") == [(1, 1), (2, 1), (3, 1), (4, 1)]
    # None is named that is so far back that an archive may have taken it.
    desk.database.execute("UPDATE bet_rows SET seq = 10001 WHERE seq = 4")
    desk.hire()
    desk.place(desk.bet(user, columns=6))
    assert desk.database.execute("SELECT seq, pricing FROM bet_rows WHERE seq > 3") == [(10001, 1), (10002, 10002)]


def test_no_bet_is_staked_paid_or_ended_twice(desk: Desk) -> None:
    bet = desk.bet(desk.player())
    desk.place(bet)
    desk.settle(int(bet.cell_id.split("_")[0]), PRICE_CENTS, PRICE_CENTS)
    entries = desk.database.execute("SELECT kind FROM entry_rows WHERE kind < 3 ORDER BY id")
    assert entries == [(0,), (1,)]
    for kind, amount in ((0, -1), (1, 1)):
        with pytest.raises(IntegrityError, match="a bet is staked and paid once"):
            desk.database.execute(
                "INSERT INTO entry_rows (id, user, amount, balance_after, kind, ref, number, previous)"
                " SELECT entry_key(entry_ms(id), 900, 0), user, ?, balance_after, ?, ref, 9, id"
                " FROM entry_rows WHERE kind = 0",
                (amount, kind),
            )
    with pytest.raises(IntegrityError, match="a bet ends once"):
        desk.database.execute(SQL["resolve_bet"], (1, desk.clock.now_ms(), 200, 9, 9, 1))
    assert audit(desk.database).faults == []
