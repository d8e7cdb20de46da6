"""`taptrade explain`: everything about one bet, recomputed and compared with what is stored."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from runtime.archive.files import attached
from runtime.errors import TaptradeError
from runtime.explanation import Facts, Proof, find_bet, gather, prove
from runtime.explanation.recomputed import Yardsticks
from runtime.explanation.sentence import sentence
from runtime.game.ids import first_id_at, ulid_ms
from runtime.history.shelves import PAST
from runtime.records.views import bet_view, column_view
from runtime.settings import Settings, load
from runtime.storage.database import Database
from taptrade.arguments import id_of
from taptrade.books import Ticks, open_books, open_ticks, open_week
from taptrade.pricing import yardsticks_of
from taptrade.tables import show_findings


class Part(Protocol):
    """One part of a proof: what was found, and whether it holds."""

    @property
    def ok(self) -> bool | None:
        """Whether it holds; None where it cannot be checked."""
        ...

    @property
    def finding(self) -> str:
        """What was found."""
        ...


class BetUnknown(TaptradeError):
    """There is no such bet."""


def explain_bet(database: Database, ticks: Ticks | None, yardsticks: Yardsticks, bet_id: str) -> tuple[Facts, Proof]:
    """Explain one bet down to its commits' hashes; raise BetUnknown if it is not there."""
    with database.snapshot():
        bet = find_bet(database.execute, bet_id)
        if bet is None:
            raise BetUnknown(f"there is no bet {bet_id}")
        facts = gather(database.execute, bet, "all")
    return facts, prove(facts, yardsticks(bet.model_id, bet.model_version), ticks)


@contextmanager
def books_of(settings: Settings, bet_id: str) -> Iterator[Database]:
    """Open the database that holds a bet, the live one or that of a week; raise BetUnknown if none here does."""
    with open_books(settings) as live:
        if find_bet(live.execute, bet_id) is not None:
            yield live
            return
        for week in attached(settings.data):
            with open_week(settings, week) as database:
                if find_bet(database.execute, bet_id) is not None:
                    yield database
                    return
        rows = live.execute(PAST["week_of_entry"], (first_id_at(ulid_ms(bet_id) or 0),))
    if not rows:
        raise BetUnknown(f"there is no bet {bet_id} in the live database")
    name = rows[0][0]
    raise BetUnknown(
        f"there is no bet {bet_id} here; by its id it may lie in the week {name}: `taptrade archive restore {name}`"
    )


def main(argv: Sequence[str]) -> int:
    """Explain a bet: who signed it, its rate, its window, its result, its money and its place in the hash chain.

    The exit code is 1 if anything does not hold, 2 if there is no such bet.
    """
    parser = argparse.ArgumentParser(prog="taptrade explain", description=main.__doc__)
    parser.add_argument("bet_id", metavar="BET_ID", type=id_of("bet"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    settings = load()
    with books_of(settings, given.bet_id) as database:
        ticks = open_ticks(settings.ticks_database)
        try:
            facts, proof = explain_bet(database, ticks, yardsticks_of(settings), given.bet_id)
        finally:
            if ticks is not None:
                ticks.close()
    column = column_view(facts.column) if facts.column else None
    why = sentence(facts.bet, facts.column)
    if given.json:
        shown = {"bet": bet_view(facts.bet), "evidence": column, "explanation": why, "proof": proof}
        print(msgspec.json.format(msgspec.json.encode(shown)).decode())
    else:
        print(f"{facts.bet.id} of {proof.signed.wallet}\n{why}\n")
        show_findings(findings(proof))
    return 0 if proof.ok else 1


def findings(proof: Proof) -> list[tuple[str, str, str]]:
    """Return a row for each part of a proof: title, state, and what was found, with its details below."""
    parts: tuple[tuple[str, Part, list[str]], ...] = (
        ("signed", proof.signed, _signed_lines(proof)),
        ("rate", proof.rate, []),
        ("window", proof.window, _window_lines(proof)),
        ("result", proof.decision, []),
        ("money", proof.money, _money_lines(proof)),
        ("chain", proof.chain, _chain_lines(proof)),
    )
    return [(title, _state(part.ok), "\n".join([part.finding, *lines])) for title, part, lines in parts]


def _state(ok: bool | None) -> str:
    return {True: "holds", False: "WRONG", None: "open"}[ok]


def _signed_lines(proof: Proof) -> list[str]:
    signed = proof.signed
    lines = [f"signer {signed.signer}, wallet {signed.wallet}", *(f"| {line}" for line in signed.text.split("\n"))]
    lines.append(f"signature {signed.signature or 'none'}")
    if signed.delegation is not None:
        what = "guest signed in" if signed.by == "guest" else "session key delegated"
        lines.append(f"{what} in commit {signed.delegation.commit_number}, login message:")
        lines += [f"| {line}" for line in signed.delegation.message.split("\n")]
        lines.append(f"signature {signed.delegation.signature}")
    if signed.adoption is not None:
        lines.append("account taken over by the wallet, login message:")
        lines += [f"| {line}" for line in signed.adoption.message.split("\n")]
        lines.append(f"signature {signed.adoption.signature}")
    return lines


def _window_lines(proof: Proof) -> list[str]:
    seen = proof.window.evidence
    return [] if seen is None else [f"ticks {seen['first_tick_id']} to {seen['last_tick_id']}: {seen['ticks_sha256']}"]


def _money_lines(proof: Proof) -> list[str]:
    return [
        f"{step.created_at} {step.ref_type} {step.amount:+} cents: {step.balance_before} to {step.balance_after};"
        f" entry {step.id}, after {step.previous_id or 'none'}, before {step.next_id or 'none'}"
        for step in proof.money.entries
    ]


def _chain_lines(proof: Proof) -> list[str]:
    return [
        f"commit {one.commit_number}, {one.committed_at}: {one.previous_hash} -> {one.hash}"
        for one in proof.chain.positions
    ]
