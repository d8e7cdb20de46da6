"""Daily audit: recount the whole ledger, and keep the head of its hash chain outside the database."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from runtime.audit import audit
from runtime.clock import Clock, SystemClock
from runtime.db import Database, open_reader
from runtime.errors import TaptradeError
from runtime.settings import load

logger = logging.getLogger(__name__)


class LedgerDoesNotAddUp(TaptradeError):
    """The ledger does not add up."""


class Head(msgspec.Struct, frozen=True):
    """Where the hash chain stood; a ledger that was cut or changed later no longer leads to it."""

    at_ms: int
    commit: int
    hash: str


def audit_daily() -> dict[str, object]:
    """Audit the live database (a job of RQ's: it fails where a cent is off)."""
    settings = load()
    reader = open_reader(settings.database)
    try:
        head = keep_head(reader, settings.data / "heads.jsonl", SystemClock())
        report = audit(reader)
    finally:
        reader.close()
    if not report.ok:
        logger.critical("%s; first: %s", report.summary, report.findings[0])
        raise LedgerDoesNotAddUp(report.summary)
    logger.info("%s", report.summary)
    return {"summary": report.summary, "commit": head.commit if head else 0}


def keep_head(reader: Database, file: Path, clock: Clock) -> Head | None:
    """Append the newest commit's hash to `file`; return it, or None where nothing was committed yet."""
    rows = reader.execute("SELECT number, hash FROM commits ORDER BY number DESC LIMIT 1")
    if not rows:
        return None
    head = Head(clock.now_ms(), *rows[0])
    with file.open("ab") as heads:
        heads.write(msgspec.json.encode(head) + b"\n")
        heads.flush()
        os.fsync(heads.fileno())
    return head
