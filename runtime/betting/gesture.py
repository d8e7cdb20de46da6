"""A gesture on its way in: what is signed is checked once, each tap by itself; what became of them is told together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from runtime.auth.bet_text import gesture_text
from runtime.auth.sessions import Session
from runtime.betting.intake import Intake
from runtime.errors import Refusal
from runtime.game.gestures import TapLine, gesture_id_from, taps_text, with_number
from runtime.messaging.commands import PlaceBets, TakenTap
from runtime.messaging.queues import Ticket, new_id


class SentGesture(msgspec.Struct, frozen=True):
    """What a player sends, as received."""

    taps: Sequence[TapLine]
    nonce: str
    timestamp: int
    signature: str
    valid_until_ms: int | None


@dataclass(slots=True)
class CheckedGesture:
    """A gesture whose signature is the player's; `ticket` is None where no tap is left to be judged."""

    id: str
    taps: Sequence[TapLine]
    taken: list[TakenTap] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)
    """Taps that were refused here, by number, from 1 on."""
    ticket: Ticket | None = None

    def told(self, judged: Sequence[Any]) -> list[Any]:
        """Return what became of each tap in order; `judged` tells of those that went on to the writer."""
        if not self.refused:
            return list(judged)
        found = dict(zip((tap.number for tap in self.taken), judged, strict=True))
        return [found[number] if number in found else self.told_refused(number) for number in self.numbers]

    def told_refused(self, number: int) -> dict[str, Any]:
        """Return what is said of a tap that was refused here."""
        refusal = self.refused[number]
        return {"refusal": {"code": refusal.code, "detail": refusal.detail, **refusal.arguments}}

    @property
    def numbers(self) -> range:
        """The numbers of all taps."""
        return range(1, len(self.taps) + 1)

    def bet_id(self, number: int) -> str:
        """Return the id that the bet of a tap has, if there is one."""
        return with_number(self.id, number)


def check_gesture(intake: Intake, sent: SentGesture, session: Session, received_ms: int) -> CheckedGesture:
    """Check a gesture and write its ticket; raise what is wrong with all of it: nonce, time or signature."""
    taps = taps_text(sent.taps)
    text_on: Callable[[int], str] = partial(gesture_text, taps, sent.nonce, sent.timestamp)
    signer, signature = intake.signed_by(text_on, sent.nonce, sent.timestamp, sent.signature, session, received_ms)
    checked = CheckedGesture(gesture_id_from(new_id(received_ms)), sent.taps)
    for number, tap in enumerate(sent.taps, 1):
        try:
            cell = intake.cell(tap.cell_id, tap.amount)
            checked.taken.append(TakenTap(number, intake.decided_by_ms(cell, sent.valid_until_ms, received_ms)))
        except Refusal as refusal:
            checked.refused[number] = refusal
    if checked.taken:
        command = PlaceBets(
            id=checked.id,
            received_ms=received_ms,
            decided_by_ms=max(tap.decided_by_ms for tap in checked.taken),
            user_id=session.user_id,
            taps=taps,
            taken=checked.taken,
            nonce=sent.nonce,
            signed_at_s=sent.timestamp,
            signature=signature,
            signer=signer,
            delegation_id=session.delegation_id if signer == session.session_key else None,
            fill_delay_ms=intake.fill_delay_ms,
        )
        checked.ticket = intake.ticket_of(command, session, len(checked.taken))
    return checked
