"""The name under which commands are queued for RQ."""

from __future__ import annotations

from typing import Any


def apply(batch: dict[str, Any]) -> None:
    """Refuse to run outside the batching writer.

    A plain RQ worker on these queues would be a second writer, so a job that one picks up fails with this sentence,
    lands in the FailedJobRegistry, and can be requeued for the writer from there.
    """
    count = len(batch.get("commands", ()))
    raise RuntimeError(f"{count} commands wait for the batching writer: run `taptrade serve writer`, not an RQ worker")
