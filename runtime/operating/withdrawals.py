"""Withdrawals as an operator lists them, oldest first: who waits longest comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from runtime.game.statements import conditions_given, fill
from runtime.records.queries import QUERIES
from runtime.records.withdrawals import OperatorsWithdrawal, operators_view

Status = Literal["pending", "completed", "reversed"]
STATUSES: tuple[str, ...] = get_args(Status)


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
