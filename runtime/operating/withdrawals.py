"""Withdrawals as an operator lists them, oldest first: who waits longest comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from runtime.game.player_entries import Execute
from runtime.game.shards import shard_of
from runtime.game.statements import conditions_given, fill
from runtime.records.queries import QUERIES
from runtime.records.withdrawals import OperatorsWithdrawal, operators_view

Status = Literal["pending", "completed", "reversed"]
STATUSES: tuple[str, ...] = get_args(Status)


def shard_of_withdrawal(execute: Execute, withdrawal_id: str) -> int:
    """Return the shard that has a withdrawal, which its commit's number tells; of one that is unknown the first."""
    rows = execute(QUERIES["withdrawal_commit"], (withdrawal_id,))
    return shard_of(rows[0][0]) if rows else 1


def list_withdrawals(
    rows: Callable[[str, Sequence[Any]], list[dict[str, Any]]],
    *,
    status: str | None,
    limit: int,
    user_id: str | None = None,
    after_id: str | None = None,
) -> list[OperatorsWithdrawal]:
    """Return the withdrawals of a status (None: of any), of one account or all, after an id."""
    which, of_status = QUERIES["if_any"], status
    if status == "pending":
        which, of_status = QUERIES["if_pending"], None
    conditions, params = conditions_given(
        (QUERIES["if_status"], of_status), (QUERIES["if_of_user"], user_id), (QUERIES["if_after_id"], after_id)
    )
    sql = fill(QUERIES["withdrawals"], which=which, conditions=conditions)
    return [operators_view(row) for row in rows(sql, [*params, limit])]
