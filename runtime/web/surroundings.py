"""What `create_app` was given, as one frozen record that every endpoint shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import falcon

from runtime.clock import Clock
from runtime.function_settings import FunctionSettings
from runtime.metrics.table import Metrics
from runtime.rate_limits import Limiter, LimitPolicy
from runtime.web.client_address import Addresses
from runtime.web.declaration import Function


class SignedIn(Protocol):
    """What the framework needs to know of a session: whose it is."""

    @property
    def wallet(self) -> str:
        """The account that rate limits count."""
        ...


Authenticate = Callable[[falcon.Request], SignedIn | None]
"""authenticate(req): the session of the request's credentials, None when it brings none."""
Guard = Callable[[], None]
"""guard(): raise a Refusal when bets and the like are not taken right now."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything around a handler that is the same for every request."""

    functions: tuple[Function, ...]
    parts: Any
    """What the process has; the framework hands it on and looks at none of it."""
    parts_of: Callable[[SignedIn | None], Any]
    """What of it handlers find at `call.parts`, by who asks."""
    authenticate: Authenticate
    authenticate_operator: Authenticate
    """The same for the endpoints that only operators may call; what makes somebody one is decided where it is made."""
    limiter: Limiter
    quotas: Mapping[str, LimitPolicy]
    guards: Mapping[str, Guard]
    clock: Clock
    metrics: Metrics
    addresses: Addresses
    function_settings: Mapping[str, FunctionSettings]
    """The settings of each function that declares some."""
