"""The audit: recount balances, ledger, bets and payouts, and walk the hash chain, all on one state of the database.

May import: runtime.archive, runtime.game, runtime.storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from runtime.audit.chain_walk import check_chain
from runtime.audit.cut_check import check_cut, manifests, read_cut
from runtime.audit.findings import Finding, Report
from runtime.audit.gesture_check import check_gestures
from runtime.audit.heads import Head, check_heads, newest_head
from runtime.audit.key_check import check_keys
from runtime.audit.money_walk import check_money
from runtime.game.chain import GENESIS
from runtime.storage.database import Database

__all__ = ["Finding", "Report", "audit"]


def _silently(done: int, total: int) -> None:
    """Tell nobody."""


def _progressed(progress: Callable[[int, int], None], begins_after: int, newest: int, number: int) -> None:
    progress(number - begins_after, newest - begins_after)


def audit(
    database: Database,
    progress: Callable[[int, int], None] = _silently,
    *,
    heads: Iterable[Head] = (),
    begins_after: int = 0,
) -> Report:
    """Check everything and report every wrong row; `progress` is told (commits walked, commits in all).

    `begins_after` is the number before the ledger's first commit. `heads` were kept outside: without them a chain whose
    end was cut off looks like a shorter one.
    """
    report = Report()
    with database.snapshot():
        report.commits, report.head = newest_head(database) or (0, GENESIS)
        report.findings += [Finding(*fault) for fault in database.faults()]
        cut, recorded = read_cut(database), manifests(database)
        if cut.week is None:
            report.findings += check_cut(database, cut, recorded)
            report.findings += check_keys(database)
        report.findings += check_money(database, report, cut, recorded)
        report.findings += check_gestures(database)
        report.findings += check_heads(database, heads)
        progressed = partial(_progressed, progress, begins_after, report.commits)
        report.findings += check_chain(database, cut, progressed, begins_after)
    return report
