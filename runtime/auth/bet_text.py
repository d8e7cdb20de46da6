"""The texts that players sign: byte for byte the same in the wallet, in the page and here."""

from __future__ import annotations

WINDOW_PAST_S = 30
WINDOW_FUTURE_S = 5
LINE_BREAK, TAP_BREAK = "\n", "\nTap: "


def is_timely(signed_s: int, now_ms: int) -> bool:
    """Tell whether a text signed at `signed_s` counts now: 30 s old at most, 5 s in the future at most."""
    return is_within(now_ms - signed_s * 1000, WINDOW_PAST_S, WINDOW_FUTURE_S)


def is_within(age_ms: int, past_s: int, future_s: int) -> bool:
    """Tell whether a text of this age (negative: from the future) counts; both ends of the window belong to it."""
    return -future_s * 1000 <= age_ms <= past_s * 1000


def bet_text(cell_id: str, amount: int, min_rate_bp: int, nonce: str, timestamp: int, chain_id: int) -> str:
    """Return the text of one bet; the caller has checked that no field holds a newline."""
    return (
        "Tap Trading Bet\n"
        "Action: place_bet\n"
        f"Cell: {cell_id}\n"
        f"Amount: {amount}\n"
        f"MinRate: {min_rate_bp}\n"
        f"Nonce: {nonce}\n"
        f"Timestamp: {timestamp}\n"
        f"Chain: {chain_id}\n"
        "Version: 1"
    )


def gesture_text(taps: str, nonce: str, timestamp: int, chain_id: int) -> str:
    """Return the text of a gesture: of `taps`, lines of cell, stake and least rate, each behind the word for it."""
    return (
        "Tap Trading Bet\n"
        "Action: place_bets\n"
        f"Tap: {taps.replace(LINE_BREAK, TAP_BREAK)}\n"
        f"Nonce: {nonce}\n"
        f"Timestamp: {timestamp}\n"
        f"Chain: {chain_id}\n"
        "Version: 1"
    )


def withdraw_text(amount: int, nonce: str, timestamp: int, chain_id: int) -> str:
    """Return the text of one withdrawal; only the wallet itself may sign it."""
    return (
        "Tap Trading Bet\n"
        "Action: withdraw\n"
        f"Amount: {amount}\n"
        f"Nonce: {nonce}\n"
        f"Timestamp: {timestamp}\n"
        f"Chain: {chain_id}\n"
        "Version: 1"
    )
