"""Build the Falcon app: `create_app` wires the functions to what they stand on, and reads nothing from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import falcon

from runtime.clock import Clock
from runtime.errors import Refusal
from runtime.function_files import DiscoveryError
from runtime.function_settings import NONE_GIVEN, FunctionSettings
from runtime.metrics.table import Metrics
from runtime.rate_limits import Limiter, LimitPolicy
from runtime.web.answers import write_crash, write_http_error, write_outage, write_refusal
from runtime.web.client_address import Addresses
from runtime.web.cors import CrossOrigin
from runtime.web.declaration import Function
from runtime.web.discovery import refuse_duplicates, refuse_unwired
from runtime.web.endpoint import Endpoint
from runtime.web.in_flight import TimeLimits
from runtime.web.incoming import Request
from runtime.web.scope import CommonHeaders, RequestScope
from runtime.web.surroundings import Authenticate, Guard, SignedIn, Surroundings

App = falcon.App[Request, falcon.Response]
LOOPBACK = ("127.0.0.0/8", "::1/128")

__all__ = ["App", "create_app"]


def nobody(_req: falcon.Request) -> SignedIn | None:
    """Find no session: an app that was not told who operates it has no operators."""
    return None


def create_app(
    functions: Sequence[Function],
    *,
    parts: object,
    authenticate: Authenticate,
    limiter: Limiter,
    quotas: Mapping[str, LimitPolicy],
    guards: Mapping[str, Guard],
    clock: Clock,
    metrics: Metrics,
    authenticate_operator: Authenticate = nobody,
    outages: tuple[type[Exception], ...] = (),
    trusted_proxies: Iterable[str] = LOOPBACK,
    cors_origins: Collection[str] = (),
    time_limits: TimeLimits | None = None,
    function_settings: Mapping[str, FunctionSettings] = NONE_GIVEN,
    parts_of: Callable[[SignedIn | None], object] | None = None,
) -> App:
    """Build the WSGI app of `functions`; an exception of `outages` that a handler lets pass is answered 503.

    With `parts_of` the parts depend on who asks. Pages of `cors_origins` may read the answers. Whoever brings
    `time_limits` looks at them now and then.
    """
    refuse_duplicates(functions)
    refuse_unwired(functions, guards, quotas)
    surroundings = Surroundings(
        functions=tuple(functions),
        parts=parts,
        parts_of=parts_of or (lambda _session: parts),
        authenticate=authenticate,
        authenticate_operator=authenticate_operator,
        limiter=limiter,
        quotas=quotas,
        guards=guards,
        clock=clock,
        metrics=metrics,
        addresses=Addresses(trusted_proxies),
        function_settings=function_settings,
    )
    origins = [CrossOrigin(cors_origins)] if cors_origins else []
    # In the order of requests; answers pass them from last to first.
    app: App = falcon.App(request_type=Request, middleware=[RequestScope(clock, metrics), CommonHeaders(), *origins])
    _handle_errors(app, outages)
    _begin_counts(metrics, functions)
    for route, resource in _resources(surroundings, time_limits).items():
        try:
            app.add_route(route, resource)
        except ValueError as ex:
            raise DiscoveryError(resource.file, f"route {route} cannot be added: {ex}") from ex
    return app


def _handle_errors(app: App, outages: tuple[type[Exception], ...]) -> None:
    app.set_error_serializer(write_http_error)
    app.add_error_handler(Exception, write_crash)
    for outage in outages:
        app.add_error_handler(outage, write_outage)
    app.add_error_handler(Refusal, write_refusal)


def _begin_counts(metrics: Metrics, functions: Sequence[Function]) -> None:
    """Begin every count at 0: that there was a first error is seen only by who saw none before."""
    for function in functions:
        for code in function.errors:
            metrics.count("taptrade_errors_total", function.name, code, by=0)


class Resource:
    """One route for Falcon: an `on_get`, `on_post`, ... for each function declared on it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.on_head: Any = None

    def add(self, endpoint: Endpoint) -> None:
        """Answer the method of `endpoint`, and HEAD where it is GET."""
        setattr(self, f"on_{endpoint.function.method.lower()}", endpoint)
        if endpoint.function.method == "GET":
            self.on_head = endpoint


def _resources(surroundings: Surroundings, time_limits: TimeLimits | None) -> dict[str, Resource]:
    resources: dict[str, Resource] = {}
    if time_limits is not None:
        time_limits.begin()
    for function in surroundings.functions:
        endpoint = Endpoint(function, surroundings)
        resources.setdefault(function.route, Resource(function.file)).add(endpoint)
        if time_limits is not None:
            time_limits.add(endpoint.in_flight)
    return resources
