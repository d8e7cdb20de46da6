"""Daily audit: recount the whole ledger, keep the head of its hash chain outside the database, tell how it went."""

from __future__ import annotations

import logging

from runtime.audit import Report, audit
from runtime.audit.heads import HEADS_FILE, keep_head, read_heads
from runtime.clock import Clock, SystemClock
from runtime.errors import TaptradeError
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import JOBS
from runtime.messaging.redis_keys import AUDIT_LAST
from runtime.messaging.redis_values import AuditResult
from runtime.postgresql import choice
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
    reader = choice.open_reader(settings)
    file = settings.data / HEADS_FILE
    try:
        report = audit(reader, heads=read_heads(file))
        head = keep_head(reader, file, clock)
    finally:
        reader.close()
    _tell(report, client, clock)
    if not report.ok:
        logger.critical("%s; first: %s", report.summary, report.findings[0])
        raise LedgerDoesNotAddUp(report.summary)
    logger.info("%s", report.summary)
    return {"summary": report.summary, "commit": head.commit if head else 0}


def _tell(report: Report, client: Redis, clock: Clock) -> None:
    client.set(AUDIT_LAST, AuditResult(clock.now_ms(), len(report.findings), report.summary).encode())
