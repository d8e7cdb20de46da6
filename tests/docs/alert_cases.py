"""When each alerting rule fires and when it does not, as series of samples: `_` is none, `0x8` is nine zeros.

Each begins with two minutes without a sample, as a house does that is looked at before it has started.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BEFORE = "_x7 "


@dataclass(frozen=True, slots=True)
class Case:
    """A rule, the series that it sees, and with which labels it fires `at` that time; with None it does not."""

    alert: str
    at: str
    fires: dict[str, str] | None
    series: dict[str, str] = field(default_factory=dict)
    interval: str = "15s"
    holder: str = ""
    """What the annotation says that asks Prometheus."""
    value: str = ""
    """What the summary says of the value."""


def by(process: str, name: str, **labels: str) -> str:
    """Write a series of a process."""
    told = {"process": process, "slot": "0"} | labels
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in told.items()) + "}"


FAILED = by("writer", "taptrade_jobs_failed_total")
RUNS = by("jobs", "taptrade_job_runs_total", job="backup-live", result="failed")
GIVEN_UP = by("functions", "taptrade_function_runs_total", function="some", result="given_up")
BEHIND = by("functions", "taptrade_function_commits_behind", function="some")
SERVED, SERVED_BY_API = (
    {by("functions", "taptrade_functions_version"): "_ 2x100"},
    by("api", "taptrade_functions_version"),
)
SLOW, FAST, ALL = (by("writer", "taptrade_commit_seconds_bucket", le=le) for le in ("0.2", "0.1", "+Inf"))
SHIPPED = 'taptrade_replica_age_seconds{database="taptrade.db"}'
WAL = by("writer", "taptrade_wal_bytes", database="taptrade.db")
HELD = by("writer", "taptrade_wal_held_seconds", database="taptrade.db", holder="process 7 (sqlite3)")
OVERLOADED = by("api", "taptrade_errors_total", function="place_bet", code="OVERLOADED")
INSIDE = by("api", "taptrade_bets_inside")
SUCCESS, OVERDUE = (f'taptrade_job_{name}_seconds{{job="some"}}' for name in ("success_time", "overdue"))
ARCHIVED = "taptrade_last_successful_archive_timestamp"
REPLICA = 'taptrade_replica_age_seconds{database="ticks.db"}'
DROPPED = 'taptrade_source_dropped_total{source="kraken",reason="outlier"}'
RESTARTS = by("feed", "taptrade_background_restarts_total", work="publisher")

CASES = (
    Case("NothingMeasured", "2m", {}),
    Case("NothingMeasured", "45s", None),
    Case("NothingMeasured", "10m", None, {'taptrade_up{part="redis"}': BEFORE + "0x100"}),
    Case("LedgerDoesNotAddUp", "10m", {}, {"taptrade_audit_findings": BEFORE + "1x100"}),
    Case("LedgerDoesNotAddUp", "10m", None, {"taptrade_audit_findings": BEFORE + "0x100"}),
    Case("LedgerDoesNotAddUp", "10m", None),
    Case("BucketClosed", "10m", {}, {by("writer", "taptrade_buckets_closed"): BEFORE + "2x100"}),
    Case("BucketClosed", "10m", None, {by("writer", "taptrade_buckets_closed"): BEFORE + "0x100"}),
    Case("BackupOld", "61m", {}),
    Case("BackupOld", "59m", None),
    Case("BackupOld", "3h", {}, {"taptrade_backup_time_seconds": "_x10 600x300"}, "1m"),
    Case("BackupOld", "2h", None, {"taptrade_backup_time_seconds": "_x10 600x300"}, "1m"),
    Case("BackupOld", "5h", None, {"taptrade_backup_time_seconds": "_x10 600+60x300"}, "1m"),
    Case("PeriodicJobFails", "5m", {"job": "backup-live"}, {RUNS: BEFORE + "0x4 1x100"}),
    Case("PeriodicJobFails", "30m", None, {RUNS: BEFORE + "0x4 1x200"}),
    Case(
        "PeriodicJobFails",
        "5m",
        None,
        {RUNS: BEFORE + "0x100", RUNS.replace("failed", "succeeded"): BEFORE + "0+1x100"},
    ),
    Case("FunctionGivenUp", "5m", {"function": "some"}, {GIVEN_UP: BEFORE + "0x4 1x100"}),
    Case("FunctionGivenUp", "30m", None, {GIVEN_UP: BEFORE + "0x4 1x200"}),
    Case("FunctionBehind", "12m", {"function": "some"}, {BEHIND: "_ 1001x200"}),
    Case("FunctionBehind", "12m", None, {BEHIND: "_ 1000x200"}),
    Case("FunctionBehind", "8m", None, {BEHIND: "_ 1001x200"}),
    Case("FunctionsDiffer", "7m", {}, SERVED | {SERVED_BY_API: "_ 3x100"}),
    Case("FunctionsDiffer", "7m", None, SERVED | {SERVED_BY_API: "_ 2x100"}),
    Case("FunctionsDiffer", "4m", None, SERVED | {SERVED_BY_API: "_ 3x100"}),
    Case("PeriodicJobOverdue", "76m", {"job": "some"}, {SUCCESS: "_ 300x90", OVERDUE: "_ 3600x90"}, "1m"),
    Case("PeriodicJobOverdue", "73m", None, {SUCCESS: "_ 300x90", OVERDUE: "_ 3600x90"}, "1m"),
    Case("PeriodicJobOverdue", "76m", None, {SUCCESS: "_ 1500x90", OVERDUE: "_ 3600x90"}, "1m"),
    Case("PeriodicJobOverdue", "11m", {}),
    Case("PeriodicJobOverdue", "9m", None),
    # Eight days are 691,200 s, and what is played begins at second 0.
    Case("ArchiveMissing", "126m", {}, {ARCHIVED: "_ -691000x200"}, "1m"),
    Case("ArchiveMissing", "122m", None, {ARCHIVED: "_ -691000x200"}, "1m"),
    Case("ArchiveMissing", "126m", None, {ARCHIVED: "_ -680000x200"}, "1m"),
    Case("ArchiveMissing", "126m", None),
    Case("PartDown", "10m", {"part": "writer"}, {'taptrade_up{part="writer"}': BEFORE + "0x100"}),
    Case("PartDown", "10m", None, {'taptrade_up{part="writer"}': BEFORE + "1x100"}),
    Case("BackgroundRestarts", "8m", {"process": "feed", "work": "publisher"}, {RESTARTS: BEFORE + "0x4 1 2 3x100"}),
    Case("BackgroundRestarts", "8m", None, {RESTARTS: BEFORE + "0x4 1x100"}),
    Case("BacklogGrows", "5m", {}, {"taptrade_backlog_bets": BEFORE + "5001x100"}),
    Case("BacklogGrows", "5m", None, {"taptrade_backlog_bets": BEFORE + "5000x100"}),
    Case("BetsRefused", "6m", {}, {OVERLOADED: BEFORE + "0+1x100"}),
    Case("BetsRefused", "10m", None, {OVERLOADED: BEFORE + "0x4 1x100"}),
    Case("BetsRefused", "6m", {}, {INSIDE: BEFORE + "351x100"}),
    Case("BetsRefused", "6m", None, {INSIDE: BEFORE + "350x100"}),
    Case("PriceFeedStale", "1m", {}),
    Case("PriceFeedStale", "5m", {}, {"taptrade_tick_age_seconds": BEFORE + "10.1x100"}),
    Case("PriceFeedStale", "5m", None, {"taptrade_tick_age_seconds": BEFORE + "9x100"}),
    Case(
        "SourcesTooFew",
        "5m",
        {},
        {"taptrade_sources_counted": BEFORE + "1x100", "taptrade_sources_needed": BEFORE + "2x100"},
    ),
    Case(
        "SourcesTooFew",
        "5m",
        None,
        {"taptrade_sources_counted": BEFORE + "2x100", "taptrade_sources_needed": BEFORE + "2x100"},
    ),
    Case("SourceDown", "8m", {"source": "kraken"}, {'taptrade_source_fresh{source="kraken"}': BEFORE + "0x100"}),
    Case("SourceDown", "6m", None, {'taptrade_source_fresh{source="kraken"}': BEFORE + "0x100"}),
    Case("SourceDown", "8m", None, {'taptrade_source_fresh{source="kraken"}': BEFORE + "1x100"}),
    Case("SourceLeftOut", "15m", {"source": "kraken"}, {DROPPED: BEFORE + "0x4 0+20x100"}),
    Case("SourceLeftOut", "15m", None, {DROPPED: BEFORE + "0x4 0+1x100"}),
    Case("SourceLeftOut", "15m", None, {DROPPED.replace("outlier", "repeat"): BEFORE + "0x4 0+20x100"}),
    Case("JobsFail", "5m", {}, {FAILED: BEFORE + "0x4 1x100"}),
    Case("JobsFail", "5m", None, {FAILED: BEFORE + "0x100"}),
    # It died and counts anew, in the same series.
    Case("JobsFail", "6m", {}, {FAILED: BEFORE + "7x4 0x4 1x100"}),
    Case("SettlementLate", "5m", {}, {"taptrade_settlement_lag_seconds": BEFORE + "121x100"}),
    Case("SettlementLate", "5m", None, {"taptrade_settlement_lag_seconds": BEFORE + "120x100"}),
    Case("CommitsSlow", "12m", {}, {SLOW: BEFORE + "0+9x100", FAST: BEFORE + "0x100", ALL: BEFORE + "0+9x100"}),
    Case("CommitsSlow", "12m", None, {SLOW: BEFORE + "0+9x100", FAST: BEFORE + "0+9x100", ALL: BEFORE + "0+9x100"}),
    Case("CommitsSlow", "12m", None, {SLOW: BEFORE + "0x100", FAST: BEFORE + "0x100", ALL: BEFORE + "0x100"}),
    Case("ReplicaBehind", "5m", {"database": "taptrade.db"}, {SHIPPED: BEFORE + "31x100"}),
    Case("ReplicaBehind", "5m", None, {SHIPPED: BEFORE + "30x100"}),
    Case(
        "WalTooLong",
        "5m",
        {"database": "taptrade.db"},
        {WAL: BEFORE + "99999999x100", HELD: BEFORE + "75x100"},
        holder="process 7 (sqlite3), for 1m 15s. ",
    ),
    Case("WalTooLong", "5m", {"database": "taptrade.db"}, {WAL: BEFORE + "99999999x100"}),
    Case("ReplicaBehind", "5m", {"database": "ticks.db"}, {REPLICA: BEFORE + "90x100"}, value="1m 30s"),
    Case("ReplicaBehind", "5m", None, {REPLICA: BEFORE + "30x100"}),
    Case("ReplicaBehind", "5m", None),
    Case("WalTooLong", "5m", None, {WAL: BEFORE + "67108864x100"}),
)
