"""`taptrade explain`: everything about one bet, recomputed and compared with what is stored."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

import msgspec

from runtime.explanation import Facts, Proof, find_bet, gather, prove
from runtime.explanation.recomputed import Yardsticks
from runtime.explanation.sentence import sentence
from runtime.records.views import bet_view, column_view
from runtime.settings import load
from runtime.storage.database import Database
from taptrade.archived import Archived, BetUnknown, Book, holder_of
from taptrade.arguments import id_of
from taptrade.books import Ticks, open_ticks
from taptrade.tables import show_findings
from taptrade.yardsticks import yardsticks_of


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


def explain_bet(
    book: Book, ticks: Ticks | None, yardsticks: Yardsticks, bet_id: str, live: Database | None = None
) -> tuple[Facts, Proof]:
    """Explain one bet down to its commits' hashes; raise BetUnknown if it is not there.

    Beside the file of a week, `live` is the live database, which keeps the commits of before.
    """
    with book.snapshot():
        bet = find_bet(book.execute, bet_id)
        if bet is None:
            raise BetUnknown(f"there is no bet {bet_id}")
        facts = gather(book.execute, bet, "all", live.execute if live else None)
    return facts, prove(facts, yardsticks(bet.model_id, bet.model_version), ticks)


def main(argv: Sequence[str]) -> int:
    """Explain a bet: who signed it, its rate, its window, its result, its money and its place in the hash chain.

    The exit code is 1 if anything does not hold, 2 if there is no such bet.
    """
    parser = argparse.ArgumentParser(prog="taptrade explain", description=main.__doc__)
    parser.add_argument("bet_id", metavar="BET_ID", type=id_of("bet"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    settings = load()
    with holder_of(settings, given.bet_id) as held:
        ticks = open_ticks(settings.ticks_database)
        try:
            live = held.live if held.archive else None
            facts, proof = explain_bet(held.book, ticks, yardsticks_of(settings), given.bet_id, live)
        finally:
            if ticks is not None:
                ticks.close()
        archived = held.archived(proof)
    if archived is not None and archived.requests:
        read = f"{archived.read_bytes} bytes of {archived.stored_as} in {archived.requests} requests"
        print(f"read {read}", file=sys.stderr)
    column = column_view(facts.column) if facts.column else None
    why = sentence(facts.bet, facts.column)
    if given.json:
        shown = {"bet": bet_view(facts.bet), "evidence": column, "explanation": why, "proof": proof}
        print(msgspec.json.format(msgspec.json.encode(shown | {"archive": archived})).decode())
    else:
        print(f"{facts.bet.id} of {proof.signed.wallet}\n{why}\n")
        show_findings(findings(proof, archived))
    return 0 if proof.ok and (archived is None or archived.ok) else 1


def findings(proof: Proof, archived: Archived | None) -> list[tuple[str, str, str]]:
    """Return a row for each part of a proof: title, state, and what was found, with its details below."""
    parts: list[tuple[str, Part, list[str]]] = [
        ("signed", proof.signed, _signed_lines(proof)),
        ("rate", proof.rate, []),
        ("window", proof.window, _window_lines(proof)),
        ("result", proof.decision, []),
        ("money", proof.money, _money_lines(proof)),
        ("chain", proof.chain, _chain_lines(proof)),
    ]
    if archived is not None:
        parts.append(("archive", archived, []))
    return [(title, _state(part.ok), "\n".join([part.finding, *lines])) for title, part, lines in parts]


def _state(ok: bool | None) -> str:
    return {True: "holds", False: "WRONG", None: "open"}[ok]


def _signed_lines(proof: Proof) -> list[str]:
    signed = proof.signed
    lines = [f"signer {signed.signer}, wallet {signed.wallet}", *(f"| {line}" for line in signed.text.split("\n"))]
    lines.append(f"signature {signed.signature or 'none'}")
    if signed.gesture_id is not None:
        lines.append(f"the bet is tap {signed.tap} of gesture {signed.gesture_id}")
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
    return [] if seen is None else [f"ticks {seen.first_tick_id} to {seen.last_tick_id}: {seen.ticks_sha256}"]


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
