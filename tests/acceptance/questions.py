"""Questions to a running house that schemathesis makes of its document: what it allows, and what it forbids."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup, ServerError
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData

from runtime.auth.operators import COOKIE
from runtime.auth.siwe import OPERATE_URN
from taptrade.wallet import Wallet
from tests.acceptance.crowd import CLOCK, Player
from tests.acceptance.system import System
from tests.runtime.auth.logins import message

CASES = 24
"""So many of each endpoint with what is allowed, and as many with what is not."""
APART = frozenset({"GET /api/stream"})
"""It does not end by itself."""
LAST = ("POST /api/me/wallet", "POST /api/auth/logout", "POST /api/operate/logout")
"""They end sessions."""
BEYOND_SCHEMAS = frozenset({"message", "from", "why", "reference", "wallet", "public_key", "for_s"})
"""Fields and parameters whose rules no schema can say."""
QUIET = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Questions:
    """Ask every endpoint, as nobody and with its session, and keep what was answered otherwise than is said."""

    def __init__(self, system: System, document: dict[str, Any], operator: Wallet) -> None:
        self.faults: list[str] = []
        self.met = Counter[int]()
        self.refused_alone: set[str] = set()
        self.with_session: set[str] = set()
        # Taken out of it: sessions are shown here, and one that is left out is not for chance to find.
        self._security = {
            f"{method.upper()} {path}": [name for one in operation.pop("security", ()) for name in one]
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=system.url)
        self._operations = {each.ok().label: each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)}
        self._sessions = {"bearer": bearer(Player(system)), "operator": cookie_of(system, operator)}

    def ask_all(self) -> None:
        """Ask every endpoint, those that end sessions last."""
        with requests.Session() as self._connection:
            self._ask_each()

    def _ask_each(self) -> None:
        for label in sorted(self._operations.keys() - APART, key=lambda label: (label in LAST, label)):
            self._ask(label, self._operations[label])

    def _ask(self, label: str, operation: Any) -> None:
        kinds = self._security[label]
        session = self._sessions[kinds[0]] if kinds else {}
        alone = set[int]()
        for mode in GenerationMode:

            @QUIET
            @given(operation.as_strategy(generation_mode=mode))
            def once(case: Any) -> None:
                if kinds and not alone:
                    alone.add(case.call(session=self._connection).status_code)
                self._judge(case, session)

            with suppress(Unsatisfiable):  # what has no parameter and no body cannot be asked wrongly
                once()
        if kinds:
            self.with_session.add(label)
        if alone == {401}:
            self.refused_alone.add(label)

    def _judge(self, case: Any, session: dict[str, Any]) -> None:
        answer = case.call(headers=session, session=self._connection)
        self.met[answer.status_code] += 1
        try:
            case.validate_response(answer)
        except FailureGroup as group:
            self.faults += [
                f"{case.operation.label}: {one.title}: {case.body!r:.200}: {answer.text:.400}"
                for one in group.exceptions
                if not is_beyond_schemas(one, answer)
            ]


def is_beyond_schemas(failure: Exception, answer: Any) -> bool:
    """Tell whether an answer is right by rules that no schema can say, so that a machine takes it for wrong."""
    if isinstance(failure, RejectedPositiveData):
        problem = answer.json()
        return problem["code"] != "INVALID_REQUEST" or problem.get("field", "message") in BEYOND_SCHEMAS
    return isinstance(failure, ServerError) and answer.json()["retryable"]


def bearer(player: Player) -> dict[str, Any]:
    """Return what a player's requests carry."""
    return {"Authorization": f"Bearer {player.token}"}


def cookie_of(system: System, operator: Wallet) -> dict[str, Any]:
    """Return what an operator's requests carry."""
    text = message(
        CLOCK.now_ms(),
        address=operator.address,
        domain=system.audience.domain,
        uri=system.audience.uri,
        nonce="operator1234",
        resources=(OPERATE_URN,),
    ).to_text()
    body = {"message": text, "signature": operator.sign(text)}
    own = {"Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{system.url}/api/operate/login", json=body, headers=own, trust_env=False)
    assert answer.status_code == 200, answer.text
    return own | {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}"}
