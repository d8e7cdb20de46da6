"""Webhooks: make deliveries of events, and send them; `taptrade webhooks` says to whom."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from contextlib import suppress

from runtime.messaging.connection import OUTAGES
from runtime.triggers import Event, Message, Run, every, on_event, on_queue, send_message
from runtime.webhooks.subscriptions import Webhooks

logger = logging.getLogger(__name__)

QUEUE = "webhooks"
SENT_MAX = 100
"""So many deliveries go to one receiver before others have their turn."""
_under_way: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""A receiver gets one delivery after the other."""


class Due(Message, frozen=True):
    """A subscription that something is to be sent to."""

    subscription_id: str


def wanted(run: Run[None]) -> frozenset[str]:
    """Return what anybody subscribes to: without subscriptions no event is even read."""
    return Webhooks(run.store).wanted()


@on_event("bet", "column", "breaker", wanted=wanted)
def note(run: Run[Event]) -> None:
    """Make a delivery of an event for each that subscribes to it."""
    begun = Webhooks(run.store).note(run.body, run.clock.now_ms())
    with suppress(*OUTAGES):  # `look` finds them
        for subscription_id in begun:
            send_message(run.redis, QUEUE, Due(subscription_id), run.clock.now_ms())


@on_queue(QUEUE, body=Due, in_flight=4, timeout_s=120, retries=0)
def deliver(run: Run[Due]) -> int:
    """Send what is due to one receiver, until there is nothing more or it does not take it."""
    lock, count = _under_way[run.body.subscription_id], 0
    if not lock.acquire(blocking=False):
        return 0  # who holds it sends this too
    try:
        while count < SENT_MAX and _deliver_one(run, Webhooks(run.store)):
            count += 1
    finally:
        lock.release()
    return count


def _deliver_one(run: Run[Due], webhooks: Webhooks) -> bool:
    """Send what has been due the longest; tell whether it was taken, so that the next one may follow."""
    from runtime.webhooks.sending import send  # only who sends loads an HTTP client, not all who find this function

    clock = run.clock
    subscription = next((one for one in webhooks.subscriptions() if one.id == run.body.subscription_id), None)
    delivery = None if subscription is None else webhooks.due(subscription.id, clock.now_ms())
    if subscription is None or delivery is None:
        return False
    webhooks.begin(delivery, clock.now_ms())
    answer = send(subscription, delivery, clock.now_ms(), private=run.settings.webhook_private_targets == "on")
    webhooks.answered(delivery, answer.said, clock.now_ms(), taken=answer.taken)
    if answer.gone:
        logger.warning("%s wants nothing any more (410), its subscription ends", subscription.url)
        webhooks.unsubscribe(subscription.id, clock.now_ms())
    return answer.taken


@every("2 s", timeout_s=10)
def look(run: Run[None]) -> int:
    """Look for what is due: what is to be tried again, and what a Redis that was lost knows no more."""
    now_ms = run.clock.now_ms()
    webhooks = Webhooks(run.store)
    due = webhooks.waiting(now_ms)
    webhooks.forget_old(now_ms)
    for subscription_id in due:
        send_message(run.redis, QUEUE, Due(subscription_id), now_ms)
    return len(due)
