"""What `create_app` was given, as one frozen record that every endpoint shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import falcon

from runtime.app.incoming import Addresses
from runtime.clock import Clock
from runtime.function import Function
from runtime.metrics import Metrics
from runtime.request_limits import Limiter, LimitPolicy

if TYPE_CHECKING:
    from runtime.auth.sessions import Session
    from runtime.parts import Parts

Authenticate = Callable[[falcon.Request], "Session | None"]
"""authenticate(req): the session of the request's credentials, None when it brings none."""
Guard = Callable[[], None]
"""guard(): raise a Refusal when bets and the like are not taken right now."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything around a handler that is the same for every request."""

    functions: tuple[Function, ...]
    parts: Parts
    authenticate: Authenticate
    limiter: Limiter
    quotas: Mapping[str, LimitPolicy]
    guards: Mapping[str, Guard]
    clock: Clock
    metrics: Metrics
    addresses: Addresses
