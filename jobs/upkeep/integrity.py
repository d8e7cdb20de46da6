"""Daily audit: recount the whole ledger, keep the head of its hash chain outside the database, tell how it went."""

from __future__ import annotations

import logging

from jobs.upkeep.house_audit import audit_house, keep_heads
from runtime.audit import Report
from runtime.clock import Clock, SystemClock
from runtime.errors import TaptradeError
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import JOBS
from runtime.messaging.redis_keys import AUDIT_LAST
from runtime.messaging.redis_values import AuditResult
from runtime.settings import Settings, load
from runtime.triggers import cron

logger = logging.getLogger(__name__)


class LedgerDoesNotAddUp(TaptradeError):
    """The ledger does not add up."""


@cron("15 3 * * *", name="audit-daily", queue=JOBS, timeout_s=3600, overdue_s=26 * 3600)
def audit_daily() -> dict[str, object]:
    """Audit the live database (a job of RQ's: it fails where a cent is off)."""
    settings = load()
    client = connect(settings.redis_url)
    try:
        return run_audit(settings, client, SystemClock())
    finally:
        client.close()


def run_audit(settings: Settings, client: Redis, clock: Clock) -> dict[str, object]:
    """Audit against the heads kept so far, keep the present one, and leave the result for metrics and alerts."""
    report = audit_house(settings, lambda _done, _total: None)
    commit = keep_heads(settings, clock)
    _tell(report, client, clock)
    if not report.ok:
        logger.critical("%s; first: %s", report.summary, report.findings[0])
        raise LedgerDoesNotAddUp(report.summary)
    logger.info("%s", report.summary)
    return {"summary": report.summary, "commit": commit}


def _tell(report: Report, client: Redis, clock: Clock) -> None:
    client.set(AUDIT_LAST, AuditResult(clock.now_ms(), len(report.findings), report.summary).encode())
