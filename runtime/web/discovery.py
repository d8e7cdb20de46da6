"""Find the endpoints: import every file of a folder, and name the file and the reason when one is broken."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from runtime.errors import OwnRefusal
from runtime.function_files import DECLARATION, DiscoveryError, declared_in, files_of
from runtime.function_types import complaint, hints_of, refuse_unreadable
from runtime.web.call import Call
from runtime.web.declaration import Function


def discover(folder: Path | str) -> tuple[Function, ...]:
    """Import every `*.py` of `folder` and return its endpoints, ordered by route and method."""
    functions = [one for file in files_of(folder) for one in endpoints_of(file)]
    if not functions:
        raise DiscoveryError(folder, "no function in here")
    refuse_duplicates(functions)
    return tuple(sorted(functions, key=lambda one: (one.route, one.method)))


def endpoints_of(file: Path) -> list[Function]:
    """Import a file and return its endpoints; none if it declares what others than requests start."""
    functions = []
    for one in declared_in(file):
        if isinstance(one.declaration, Function):
            _refuse_handler(file, one.handler.__name__, one.handler)
            refuse_unreadable(file, types_of(one.declaration), msgspec.json.schema_components)
            # Settings hold what no JSON does.
            refuse_unreadable(file, [one.declaration.settings], msgspec.inspect.multi_type_info)
            functions.append(replace(one.declaration, name=one.name, file=str(file)))
    return functions


def types_of(one: Function) -> Iterator[Any]:
    """Yield every type that OpenAPI tells of an endpoint."""
    for declared in (one.body, *one.bodies.values(), one.query, one.response, *one.also.values()):
        yield from declared if isinstance(declared, tuple) else (declared,)
    yield from map(type, one.events.values())
    yield from one.path.values()
    yield from (header.form for header in one.headers)
    yield from one.own_refusals


def refuse_duplicates(functions: Iterable[Function]) -> None:
    """Raise DiscoveryError when two functions answer the same requests, or give one code two meanings.

    What their route fields are called makes no difference.
    """
    taken: dict[tuple[str, str], Function] = {}
    meant: dict[str, tuple[type[OwnRefusal], Function]] = {}
    for one in functions:
        first = taken.setdefault((one.method, _shape(one.route)), one)
        if first is not one:
            raise DiscoveryError(one.file, f"{one.method} {one.route} is declared in {first.file} already")
        for refusal in one.own_refusals:
            known, giver = meant.setdefault(refusal.default_code, (refusal, one))
            if known is not refusal:
                raise DiscoveryError(one.file, f"the code {refusal.default_code} is declared in {giver.file} already")


def refuse_unwired(functions: Iterable[Function], guards: Iterable[str], limits: Iterable[str]) -> None:
    """Raise DiscoveryError when a function names a guard or a limit that was not handed in."""
    known_guards, known_limits = frozenset(guards), frozenset(limits)
    for one in functions:
        for guard in one.guards:
            if guard not in known_guards:
                known = ", ".join(sorted(known_guards)) or "none"
                raise DiscoveryError(one.file, f"unknown guard {guard!r}; there is {known}")
        for limit in one.buckets:
            if limit not in known_limits:
                raise DiscoveryError(one.file, f"no quota for the limit {limit!r}")


def _refuse_handler(file: Path, name: str, handler: Any) -> None:
    """Raise DiscoveryError unless the handler reads `(call: Call[Body]) -> Answer`, with the declared body."""
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) != 1:
        raise complaint(file, name, f"{name} must take one argument, the call")
    hints = hints_of(file, handler)
    taken = hints.get(parameters[0].name)
    if taken is None or "return" not in hints:
        raise complaint(file, name, f"{name} lacks annotations: write (call: Call[...]) -> ...")
    if get_origin(taken) is not Call:
        raise complaint(file, name, f"{name} must take a Call[...], not {taken!r}", parameters[0].name)
    declared = getattr(handler, DECLARATION)
    bodies = (declared.body or type(None), *declared.bodies.values())
    of = get_args(taken)[0]
    if set(get_args(of) or [of]) != set(bodies):
        said = f"{name} takes {taken} but declares body={' | '.join(b.__name__ for b in bodies)}"
        raise complaint(file, name, said, parameters[0].name)


def _shape(route: str) -> str:
    return "/".join("{}" if part.startswith("{") and part.endswith("}") else part for part in route.split("/"))
