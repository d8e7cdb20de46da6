"""Webhooks from the event to the receiver: signed, tried again, given up, sent once more, ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.webhooks import QUEUE
from runtime.clock import ManualClock
from runtime.settings import Settings
from runtime.webhooks.signing import headers_of
from runtime.webhooks.subscriptions import ATTEMPTS_MAX, PAUSES_S, Subscription, Webhooks
from taptrade import webhooks as command
from taptrade.trial import Trial, open_trial
from tests.functions.receiver import Receiver, receiving

pytestmark = pytest.mark.integration


@pytest.fixture
def trial(settings: Settings, clock: ManualClock) -> Iterator[Trial]:
    """Return a house whose webhooks may go to this machine."""
    with open_trial(replace(settings, webhook_private_targets="on"), clock) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a program that takes webhooks."""
    with receiving() as listening:
        yield listening


@pytest.fixture
def hooks(trial: Trial) -> Webhooks:
    """Return the webhooks of the house."""
    return Webhooks(trial.bench.store)


def subscribe(hooks: Webhooks, receiver: Receiver, trial: Trial, *names: str) -> Subscription:
    """Subscribe the receiver."""
    return hooks.subscribe(receiver.url, names, trial.clock.now_ms())


def send(trial: Trial, one: Subscription) -> Any:
    """Send what is due."""
    return trial.run("webhooks.deliver", {"subscription_id": one.id})


def advance(trial: Trial, seconds: float) -> None:
    """Let time pass."""
    trial.clock.advance(round(seconds * 1000))


def test_an_event_is_delivered_once_signed_to_each_that_wants_it(
    trial: Trial, hooks: Webhooks, receiver: Receiver
) -> None:
    one = subscribe(hooks, receiver, trial, "bet.won")
    subscribe(hooks, receiver, trial, "column")
    event = trial.event("bet.won", {"payout_amount": 577}, user_id="somebody")
    for _ in range(2):  # it may be told again
        trial.run("webhooks.note", event)
    assert trial.redis.llen(f"rq:queue:{QUEUE}") == 1
    assert (send(trial, one), send(trial, one)) == (1, 0)
    [came] = receiver.came
    told = json.loads(came.body)
    assert (told["type"], told["timestamp"]) == ("bet.won", "2026-09-21T14:13:20.000Z")
    assert told["data"] == {"user_id": "somebody"} | event.data
    assert (event.data["payout_amount"], event.data["status"]) == (577, "won")
    signed = headers_of(came.headers["webhook-id"], trial.clock.now_ms() // 1000, came.body, one.secret)
    assert signed.items() <= came.headers.items()
    assert [(sent.status, sent.event_id) for sent in hooks.deliveries(None, None, 10)] == [("delivered", event.id)]


def test_without_subscriptions_nothing_is_wanted(trial: Trial, hooks: Webhooks, receiver: Receiver) -> None:
    assert hooks.wanted() == frozenset()
    one = subscribe(hooks, receiver, trial, "bet")
    assert "bet.lost" in hooks.wanted()
    hooks.unsubscribe(one.id, 1)
    assert hooks.wanted() == frozenset()


def test_what_is_not_taken_is_sent_again_with_the_same_id_until_it_is_given_up_and_may_be_replayed(
    trial: Trial, hooks: Webhooks, receiver: Receiver
) -> None:
    one = subscribe(hooks, receiver, trial, "bet")
    trial.run("webhooks.note", trial.event("bet.lost"))
    receiver.statuses = [500, 302, *[503] * (ATTEMPTS_MAX - 2)]
    for pause_s in (*PAUSES_S, 0):
        assert send(trial, one) == 0
        if pause_s:
            advance(trial, pause_s - 0.001)
            assert trial.run("webhooks.look") == 0
            advance(trial, 0.001)
            assert trial.run("webhooks.look") == 1
    [sent] = hooks.deliveries(one.id, "given_up", 10)
    assert (sent.attempts, sent.answer) == (ATTEMPTS_MAX, "503 Service Unavailable")
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 1
    assert len({came.headers["webhook-timestamp"] for came in receiver.came}) == ATTEMPTS_MAX
    assert hooks.replay_given_up(one.id, trial.clock.now_ms()) == 1
    assert send(trial, one) == 1
    assert hooks.replay(sent.id, trial.clock.now_ms())
    assert send(trial, one) == 1
    assert len(receiver.came) == ATTEMPTS_MAX + 2


def test_who_says_gone_is_told_of_nothing_any_more(trial: Trial, hooks: Webhooks, receiver: Receiver) -> None:
    one = subscribe(hooks, receiver, trial, "bet")
    for _ in range(2):
        trial.run("webhooks.note", trial.event("bet.lost"))
    receiver.statuses = [410]
    send(trial, one)
    assert hooks.subscriptions() == []
    assert send(trial, one) == 0
    assert len(receiver.came) == 1


def test_a_target_that_became_private_is_not_sent_to(
    settings: Settings, clock: ManualClock, receiver: Receiver
) -> None:
    with open_trial(settings, clock) as careful:
        hooks = Webhooks(careful.bench.store)
        one = subscribe(hooks, receiver, careful, "bet")
        careful.run("webhooks.note", careful.event("bet.lost"))
        send(careful, one)
        [sent] = hooks.deliveries(None, None, 10)
        assert (sent.status, sent.answer) == ("waiting", "127.0.0.1 is 127.0.0.1, which is not public")
        assert receiver.came == []


def test_an_operator_adds_lists_replays_and_removes(
    trial: Trial,
    hooks: Webhooks,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(trial.settings.data))

    def run(*arguments: str) -> Any:
        assert command.main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    with pytest.raises(Exception, match="only https"):
        command.main(["add", receiver.url, "bet"])
    with pytest.raises(Exception, match="tick is no event"):
        command.main(["add", receiver.url, "tick"])
    monkeypatch.setenv("TAPTRADE_WEBHOOK_PRIVATE_TARGETS", "on")
    made = run("add", receiver.url, "bet.won", "column")
    assert made["secret"].startswith("whsec_")
    assert [one["events"] for one in run("list")] == [["bet.won", "column"]]
    trial.run("webhooks.note", trial.event("bet.won"))
    [sent] = run("deliveries", "--of", made["id"])
    assert run("replay", sent["id"]) == {"replayed": 1}
    assert run("replay", made["id"]) == {"replayed": 0}
    assert run("remove", made["id"]) == {"removed": made["id"]}
    assert run("list") == []
    with pytest.raises(Exception, match="there is no"):
        run("replay", sent["id"])
    assert hooks.due(made["id"], trial.clock.now_ms()) is None
