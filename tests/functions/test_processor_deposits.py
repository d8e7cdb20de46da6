"""The payment processors' door: nobody passes without the key, and no payment is credited twice."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from runtime.audit import audit
from runtime.clock import ManualClock
from runtime.messaging.commands import SetLimits
from runtime.settings import Settings
from tests.functions.till import Till, open_till
from tests.jobs.writer_desk import Desk

SECRET = "k" * 32
PATH = "/api/processor/deposits"


@pytest.fixture
def till(settings: Settings, redis_url: str, clock: ManualClock) -> Iterator[Till]:
    desk = Desk(settings.database, redis_url, clock)
    with open_till(desk, settings) as till:
        till.change(processor_secret=SECRET, mode="live")
        yield till
    desk.close()


def signed(text: bytes, secret: str, timestamp: str, *, method: str = "POST", path: str = PATH) -> str:
    """Sign as a processor's own code would."""
    return hmac.new(secret.encode(), f"{method}\n{path}\n{timestamp}\n".encode() + text, hashlib.sha256).hexdigest()


def post(till: Till, body: Any, *, secret: str = SECRET, age_s: int = 0, **changes: str) -> testing.Result:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = changes.pop("timestamp", str(till.desk.clock.now_ms() // 1000 - age_s))
    signature = changes.pop("signature") if "signature" in changes else signed(text, secret, timestamp, **changes)
    headers = {
        "X-Taptrade-Timestamp": timestamp,
        "X-Taptrade-Signature": signature,
        "Content-Type": "application/json",
    }
    return till.client.simulate_post(PATH, body=text, headers=headers)


def refused(result: testing.Result) -> tuple[int, str]:
    return result.status_code, result.json["code"]


def test_a_payment_is_credited_to_a_wallet(till: Till) -> None:
    user = till.desk.player(0xAB, cents=0)
    result = post(till, {"wallet": f"0x{0xAB:040x}", "amount": 2_500, "reference": "psp-1"})
    assert result.status_code == 201
    entry = till.desk.database.dicts("SELECT * FROM transaction_ledger WHERE ref_id = 'psp-1'")[0]
    assert result.json == {
        "ledger_id": entry["id"],
        "user_id": user,
        "wallet_address": result.json["wallet_address"],
        "amount": 2_500,
        "balance": 2_500,
        "reference": "psp-1",
    }
    assert result.json["wallet_address"].lower() == f"0x{0xAB:040x}"
    assert json.loads(entry["metadata"]) == {"who": "payment processor", "why": "payment received"}
    assert audit(till.desk.database).faults == []


def test_the_same_reference_gets_the_first_answer_whatever_came_between(till: Till) -> None:
    user = till.desk.player()
    body = {"user_id": user, "amount": 700, "reference": "psp-1"}
    first = post(till, body)
    assert post(till, body | {"reference": "psp-2"}).json["balance"] == 1_001_400
    again = post(till, body, age_s=5)
    assert (again.status_code, again.json) == (201, first.json)
    by_wallet = post(till, {"wallet": f"0x{1:040x}", "amount": 700, "reference": "psp-1"})
    assert by_wallet.json == first.json
    assert till.desk.balance(user) == 1_001_400


@pytest.mark.parametrize("changed", [{"amount": 701}, {"user_id": "other"}])
def test_a_reference_stands_for_one_account_and_amount(till: Till, changed: dict[str, Any]) -> None:
    one, other = till.desk.player(1), till.desk.player(2)
    body = {"user_id": one, "amount": 700, "reference": "psp-1"}
    assert post(till, body).status_code == 201
    changed = {"user_id": other} if "user_id" in changed else changed
    assert refused(post(till, body | changed)) == (409, "REFERENCE_USED")
    assert (till.desk.balance(one), till.desk.balance(other)) == (1_000_700, 1_000_000)


def test_a_lost_answer_is_asked_for_again_with_the_same_reference(till: Till) -> None:
    user = till.desk.player()
    till.parts.outbox.answers = False
    body = {"user_id": user, "amount": 700, "reference": "psp-1"}
    lost = post(till, body)
    assert refused(lost) == (503, "UNAVAILABLE")
    assert lost.headers["retry-after"] == "1"
    till.parts.outbox.answers = True
    assert post(till, body).json["balance"] == 1_000_700 == till.desk.balance(user)


def test_without_a_key_the_door_is_closed(till: Till) -> None:
    user = till.desk.player()
    till.change(processor_secret="")
    result = post(till, {"user_id": user, "amount": 1, "reference": "psp-1"}, secret="")
    assert refused(result) == (403, "FORBIDDEN")
    assert till.parts.outbox.asked == []


WRONG = [
    pytest.param({"secret": "x" * 32}, id="another key"),
    pytest.param({"method": "PUT"}, id="signed for another method"),
    pytest.param({"path": "/api/deposits"}, id="signed for another path"),
    pytest.param({"signature": "0" * 64}, id="made up"),
    pytest.param({"signature": ""}, id="none"),
    pytest.param({"signature": "\xe9" * 64}, id="not ASCII"),
    pytest.param({"timestamp": "17900000000000000"}, id="too long a time"),
    pytest.param({"timestamp": "-5"}, id="no number"),
    pytest.param({"timestamp": "\u00b2"}, id="a digit of another kind"),
]


@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_signature_moves_nothing(till: Till, changes: dict[str, str]) -> None:
    user = till.desk.player()
    result = post(till, {"user_id": user, "amount": 1, "reference": "psp-1"}, **changes)  # type: ignore[arg-type]
    assert refused(result) == (401, "INVALID_SIGNATURE")
    assert till.desk.balance(user) == 1_000_000


def test_fields_that_are_missing_are_named(till: Till) -> None:
    result = till.client.simulate_post(PATH, json={"user_id": "x", "amount": 1, "reference": "r"})
    assert refused(result) == (401, "INVALID_SIGNATURE")
    assert "X-Taptrade-Signature" in result.json["detail"]


def test_the_exact_bytes_are_signed_not_what_they_mean(till: Till) -> None:
    user = till.desk.player()
    tight = json.dumps({"user_id": user, "amount": 5, "reference": "r"}, separators=(",", ":")).encode()
    loose = tight.replace(b",", b" , ")
    timestamp = str(till.desk.clock.now_ms() // 1000)
    assert post(till, loose, signature=signed(tight, SECRET, timestamp)).status_code == 401
    assert post(till, loose).status_code == 201


@pytest.mark.parametrize(("age_s", "status"), [(30, 201), (31, 401), (-30, 201), (-31, 401)])
def test_only_fresh_requests_pass(till: Till, age_s: int, status: int) -> None:
    user = till.desk.player()
    result = post(till, {"user_id": user, "amount": 1, "reference": "psp-1"}, age_s=age_s)
    assert result.status_code == status
    if status == 401:
        assert result.json["code"] == "SIGNATURE_EXPIRED"
        assert result.json["server_time_ms"] == till.desk.clock.now_ms()
        assert "at most 30 s behind and 30 s ahead" in result.json["detail"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"wallet": "0x" + "9" * 40}, (404, "NOT_FOUND"), id="unknown wallet"),
        pytest.param({"user_id": "01J00000000000000000000000"}, (404, "NOT_FOUND"), id="unknown user"),
        pytest.param({}, (400, "INVALID_REQUEST"), id="nobody"),
        pytest.param({"wallet": f"0x{1:040x}", "user_id": "x"}, (400, "INVALID_REQUEST"), id="two"),
        pytest.param({"wallet": "0xabc"}, (400, "INVALID_REQUEST"), id="no wallet"),
        pytest.param({"wallet": f"0x{1:040x}", "amount": 0}, (400, "INVALID_REQUEST"), id="nothing"),
        pytest.param({"wallet": f"0x{1:040x}", "amount": -5}, (400, "INVALID_REQUEST"), id="less"),
        pytest.param({"wallet": f"0x{1:040x}", "amount": 5.5}, (400, "INVALID_REQUEST"), id="a fraction"),
        pytest.param({"wallet": f"0x{1:040x}", "reference": ""}, (400, "INVALID_REQUEST"), id="no reference"),
        pytest.param({"wallet": f"0x{1:040x}", "reference": "a\nb"}, (400, "INVALID_REQUEST"), id="odd reference"),
        pytest.param({"wallet": f"0x{1:040x}", "currency": "EUR"}, (400, "INVALID_REQUEST"), id="unknown field"),
    ],
)
def test_what_cannot_be_credited_is_refused(till: Till, body: dict[str, Any], expected: tuple[int, str]) -> None:
    user = till.desk.player()
    assert refused(post(till, {"amount": 5, "reference": "psp-1"} | body)) == expected
    assert till.desk.balance(user) == 1_000_000


def test_a_players_own_limits_refuse_a_payment_and_a_credited_one_is_answered_still(till: Till) -> None:
    user = till.desk.player()
    first = post(till, {"user_id": user, "amount": 500, "reference": "psp-1"})
    now_ms = till.desk.clock.now_ms()
    times: dict[str, Any] = {"id": till.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    till.desk.do(SetLimits(user_id=user, deposit_day_max_cents=800, **times))
    beyond = post(till, {"user_id": user, "amount": 301, "reference": "psp-2"})
    assert refused(beyond) == (403, "LIMIT_REACHED")
    assert {name: beyond.json[name] for name in ("limit", "left_cents", "until_ms", "retryable")} == {
        "limit": "deposit_day_max_cents",
        "left_cents": 300,
        "until_ms": now_ms + 24 * 3600 * 1000,
        "retryable": False,
    }
    assert post(till, {"user_id": user, "amount": 500, "reference": "psp-1"}).json == first.json
    assert post(till, {"user_id": user, "amount": 300, "reference": "psp-2"}).status_code == 201
    assert audit(till.desk.database).faults == []


def test_in_live_mode_players_cannot_credit_themselves(till: Till) -> None:
    headers = till.log_in(till.desk.player())
    result = till.client.simulate_post("/api/deposits", json={"amount": 5}, headers=headers)
    assert refused(result) == (403, "FORBIDDEN")
    assert till.parts.outbox.asked == []
    till.change(mode="demo", deposit_max_cents=2_000_000)
    assert till.client.simulate_post("/api/deposits", json={"amount": 5}, headers=headers).status_code == 201


def test_the_documented_examples_sign_as_the_door_verifies(till: Till) -> None:
    user = till.desk.player()
    shell, python = _examples()
    now = till.desk.clock.now_ms() // 1000
    script = "\n".join(
        [f"date() {{ echo {now}; }}", shell.partition("curl ")[0], 'printf "%s\\n" "$BODY" "$SIGNATURE"']
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "TAPTRADE_PROCESSOR_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    body, signature = done.stdout.splitlines()
    # The wallet of the example is nobody's here: that is told only to those whose signature fits.
    assert refused(post(till, body.encode(), signature=signature)) == (404, "NOT_FOUND")
    names: dict[str, Any] = {}
    exec(python.replace("time.time()", str(now)), names)  # noqa: S102
    sent, headers = names["signed_deposit"](SECRET, f"0x{1:040x}", 2_500, "psp-1")
    answer = till.client.simulate_post(PATH, body=sent, headers=headers)
    assert (answer.status_code, till.desk.balance(user)) == (201, 1_002_500)


def _examples() -> tuple[str, str]:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    fences = text.split("```")[1::2]
    (shell,) = (fence[3:] for fence in fences if fence.startswith("sh\nBODY"))
    (python,) = (fence.removeprefix("python\n") for fence in fences if fence.startswith("python"))
    return shell, python
