"""The audit of a whole house: that of each of its ledgers, and of what several of them have once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from runtime.audit import Finding, Report, audit
from runtime.audit.heads import HEADS_FILE, Head, keep_head, read_heads
from runtime.audit.roots import ROOTS_FOLDER, check_roots, read_roots
from runtime.clock import Clock
from runtime.game.merkle import root_of
from runtime.game.shards import begins_after, shard_of
from runtime.postgresql import choice
from runtime.settings import Settings

Progress = Callable[[int, int], None]


def audit_house(settings: Settings, progress: Progress) -> Report:
    """Audit every ledger of the house against the heads kept so far; `progress` begins anew with each of them."""
    kept, shards = read_heads(settings.data / HEADS_FILE), choice.shards_of(settings)
    reports = [_audit_shard(settings, shard, shards, kept, progress) for shard in range(1, shards + 1)]
    return reports[0] if shards == 1 else _as_one(settings, reports)


def _audit_shard(settings: Settings, shard: int, shards: int, kept: Sequence[Head], progress: Progress) -> Report:
    own = [head for head in kept if shard_of(head.commit) == shard]
    with closing(choice.open_reader(settings, shard)) as reader:
        report = audit(reader, progress, heads=own, begins_after=begins_after(shard))
        if shards > 1:
            report.commits -= begins_after(shard)
            with reader.snapshot():
                report.findings += [Finding(*fault) for fault in choice.faults_of_evidence(reader)]
    return report


def _as_one(settings: Settings, reports: Sequence[Report]) -> Report:
    whole = Report(head=root_of([one.head for one in reports]))
    for one in reports:
        whole.commits += one.commits
        whole.users += one.users
        whole.entries += one.entries
        whole.bets += one.bets
        whole.balance_cents += one.balance_cents
        whole.findings += one.findings
    # Read first: players bet on meanwhile, and each second another root is kept.
    roots = read_roots(settings.data / ROOTS_FOLDER)
    with closing(choice.open_reader(settings)) as reader, reader.snapshot():
        whole.findings += [Finding(*fault) for fault in choice.faults_of_house(reader)]
        whole.findings += check_roots(reader, roots)
    return whole


def keep_heads(settings: Settings, clock: Clock) -> int:
    """Keep the newest head of every ledger outside the database; return the newest commit's number, 0 without one."""
    newest = 0
    for shard in range(1, choice.shards_of(settings) + 1):
        with closing(choice.open_reader(settings, shard)) as reader:
            head = keep_head(reader, settings.data / HEADS_FILE, clock)
        newest = max(newest, head.commit if head else 0)
    return newest
