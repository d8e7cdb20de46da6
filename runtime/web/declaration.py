"""The declaration of an endpoint: a frozen record on its handler, and what a handler takes and may return.

    @function("GET", "/api/time", auth="none", summary="Server time", response=ServerTime)
    def server_time(call: Call[None]) -> ServerTime: ...

There is no registry: `discover` (runtime.web.discovery) finds the records by looking at the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

import msgspec

from runtime.error_codes import CODES, ErrorCode
from runtime.errors import OwnRefusal
from runtime.function_files import DECLARATION, DeclarationError
from runtime.function_settings import FunctionSettings, complaint_about
from runtime.rate_limits import BUCKETS, Bucket

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Auth = Literal["none", "session", "optional", "operator"]
METHODS: frozenset[str] = frozenset(get_args(Method))
AUTHS: frozenset[str] = frozenset(get_args(Auth))
BODILESS: frozenset[str] = frozenset(("GET", "DELETE"))

TIMEOUT_S = 30
IN_FLIGHT = 1_000

NOTHING: Mapping[Any, Any] = MappingProxyType({})

H = TypeVar("H", bound=Callable[[Any], Any])


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What request bodies inherit, as `class Tap(Body, frozen=True)`: a misspelt field is refused."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What query parameters inherit, as `class Page(Query, frozen=True)`: a misspelt parameter is refused."""


class OpenQuery(msgspec.Struct, frozen=True):
    """Query parameters beside which others may stand, for an endpoint whose clients are libraries that add their own.

    A repeated one is read as a comma-separated list, as HTTP reads repeated header fields.
    """


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status, header fields or a media type of its own; bytes and text are sent as they are."""

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is sent piece by piece; `iterator.close()` is called when the client goes.

    A generator that was never started does not run its `finally` on close: take resources after the first `next`.
    """

    iterator: Iterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Header:
    """A header field that a request may bring; `form` is its type, as of a field of a body."""

    name: str
    description: str
    form: Any = str
    required: bool = False


# Compared by identity: what it holds need not be hashable.
@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One endpoint. `name` and `file` are filled in by discovery."""

    handler: Callable[[Any], Any]
    """Takes the call (runtime.web.call.Call), returns the answer."""
    method: Method
    route: str
    auth: Auth
    summary: str
    body: type[msgspec.Struct] | None
    bodies: Mapping[str, type[msgspec.Struct]]
    """Other forms of the body, each by a field that only it has."""
    query: type[msgspec.Struct] | None
    response: Any
    """Its type; a tuple, here and in `also`, where it is of one of several."""
    status: int
    limits: tuple[str, ...]
    """Buckets that are counted before the body is read."""
    limits_by_handler: tuple[str, ...]
    """Buckets that the handler counts, once it knows more."""
    refusals: str | None
    """The bucket, of an address, in which the requests are counted that are refused before the handler accepts them."""
    guards: tuple[str, ...]
    errors: tuple[str, ...]
    media: str
    also: Mapping[int, Any]
    """Other statuses, and what these bring."""
    headers: tuple[Header, ...]
    path: Mapping[str, Any]
    """The types of the route's fields; one that is not named here is what its converter makes of it."""
    instead: tuple[str, ...]
    """Media types in which the answer comes if Accept wants one of them more, as text."""
    events: Mapping[str, Any]
    """Of a stream: an example of each event's data by the event's type; its class is the type of the data."""
    timeout_s: int
    """How long a call may take, until its answer begins."""
    in_flight: int
    """How many calls a process answers at once; one more is refused."""
    settings: type[FunctionSettings] | None = None
    """The type of the settings that are its own, which `call.own_settings` hands it."""
    own_refusals: tuple[type[OwnRefusal], ...] = ()
    """The refusals whose codes are its own; `errors` has the codes."""
    name: str = ""
    file: str = ""

    @property
    def buckets(self) -> tuple[str, ...]:
        """Every bucket that counts requests of the endpoint."""
        return (*self.limits, *self.limits_by_handler, *([] if self.refusals is None else [self.refusals]))

    @property
    def codes(self) -> Mapping[str, ErrorCode]:
        """Every code that it may give: those of the house, and its own."""
        return CODES | {one.default_code: one.own_code for one in self.own_refusals}


def function(
    method: Method,
    route: str,
    *,
    auth: Auth,
    summary: str,
    body: type[msgspec.Struct] | None = None,
    bodies: Mapping[str, type[msgspec.Struct]] = NOTHING,
    query: type[msgspec.Struct] | None = None,
    response: Any = None,
    status: int = 200,
    limits: tuple[Bucket, ...] = (),
    limits_by_handler: tuple[Bucket, ...] = (),
    refusals: Bucket | None = None,
    guards: tuple[str, ...] = (),
    errors: tuple[str | type[OwnRefusal], ...] = (),
    media: str = "application/json",
    also: Mapping[int, Any] = NOTHING,
    headers: tuple[Header, ...] = (),
    path: Mapping[str, Any] = NOTHING,
    instead: tuple[str, ...] = (),
    events: Mapping[str, Any] = NOTHING,
    timeout_s: int = TIMEOUT_S,
    in_flight: int = IN_FLIGHT,
    settings: type[FunctionSettings] | None = None,
) -> Callable[[H], H]:
    """Declare the decorated handler as an endpoint; the handler itself is returned unchanged."""
    several: dict[str, Any] = {"limits": limits, "limits_by_handler": limits_by_handler, "guards": guards}
    several |= {"headers": headers, "instead": instead}
    _refuse_lone(errors=errors, **several)
    own = {"timeout_s": timeout_s, "in_flight": in_flight, "settings": settings, "media": media, **_split(errors)}
    more: dict[str, Any] = {"path": path, "events": events, "bodies": bodies, "also": also, **own, **several}

    def declare(handler: H) -> H:
        declaration = Function(
            handler=handler,
            method=method,
            route=route,
            auth=auth,
            summary=summary,
            body=body,
            query=query,
            response=response,
            status=status,
            refusals=refusals,
            **more,
        )
        return _attached(handler, declaration)

    return declare


def _refuse_lone(**given: Any) -> None:
    """Raise DeclarationError where one stands for several: parentheses make no tuple, and a text falls into letters."""
    for name, value in given.items():
        if isinstance(value, str) or not isinstance(value, Iterable):
            shown = f'"{value}"' if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)
            raise DeclarationError(f"{name}=({shown}) is one alone, and must be a tuple: write {name}=({shown},)")


def _split(errors: Iterable[str | type[OwnRefusal]]) -> dict[str, Any]:
    """Return the codes of all refusals, and those refusals whose codes are the function's own."""
    own = tuple(one for one in errors if not isinstance(one, str))
    return {"errors": tuple(one if isinstance(one, str) else one.default_code for one in errors), "own_refusals": own}


def _attached(handler: H, declaration: Function) -> H:
    check(declaration)
    setattr(handler, DECLARATION, declaration)
    return handler


def check(declaration: Function) -> None:
    """Raise DeclarationError when a declaration contradicts itself or names what does not exist."""
    for complaints in (_form_complaints, _name_complaints, _type_complaints):
        for complaint in complaints(declaration):
            raise DeclarationError(complaint)


def _form_complaints(one: Function) -> Iterator[str]:
    if one.method not in METHODS:
        yield f"unknown method {one.method!r}; it must be one of {', '.join(sorted(METHODS))}"
    if not one.route.startswith("/") or (one.route != "/" and one.route.endswith("/")):
        yield f"route {one.route!r} must start with a slash and not end with one"
    if not one.summary:
        yield "the summary is empty"
    if not 200 <= one.status <= 299:
        yield f"status {one.status} is no success; refusals are raised (runtime.errors)"
    for what, value in (("timeout_s", one.timeout_s), ("in_flight", one.in_flight)):
        if value < 1:
            yield f"{what}={value} is less than 1"
    if one.body is not None and one.method in BODILESS:
        yield f"{one.method} takes no body"


def _name_complaints(one: Function) -> Iterator[str]:
    if one.auth not in AUTHS:
        yield f"unknown auth {one.auth!r}; it must be one of {', '.join(sorted(AUTHS))}"
    for limit in one.buckets:
        if limit not in BUCKETS:
            yield f"unknown limit {limit!r}; it must be one of {', '.join(sorted(BUCKETS))}"
    for name in one.path:
        if f"{{{name}" not in one.route:
            yield f"the route has no field {name!r}"
    for code in one.errors:
        if code not in one.codes:
            yield f"unknown error code {code!r}; runtime/error_codes.py lists the house's, and OwnRefusal makes one"


def _type_complaints(one: Function) -> Iterator[str]:
    declared: Any
    for declared, parent in ((one.body, Body), *((other, Body) for other in one.bodies.values()), (one.query, Query)):
        if declared is None:
            continue
        if not (isinstance(declared, type) and issubclass(declared, msgspec.Struct)):
            yield f"{declared!r} is no msgspec Struct; inherit runtime.function.{parent.__name__}"
        elif not (declared.__struct_config__.forbid_unknown_fields or issubclass(declared, OpenQuery)):
            yield f"{declared.__name__} lets unknown fields pass; inherit runtime.function.{parent.__name__}"
    if complaint := complaint_about(one.settings):
        yield complaint
