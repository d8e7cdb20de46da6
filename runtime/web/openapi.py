"""The OpenAPI 3.1 document, generated from the functions' declarations and types."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import msgspec

from runtime.web.answers import PROBLEM_JSON
from runtime.web.declaration import Function
from runtime.web.described import (
    HEADERS,
    REF,
    SECURITY_SCHEMES,
    header_fields,
    header_parameters,
    path_parameters,
    query_parameters,
    route_of,
)
from runtime.web.meanings import describe
from runtime.web.problem import Problem, problem_of

# Codes that need no mention in a declaration: they follow from it.
ALWAYS = ("INVALID_REQUEST", "INTERNAL_ERROR", "UNAVAILABLE", "OVERLOADED")
WITH_SESSION = ("UNAUTHENTICATED",)
FOR_OPERATORS = ("FORBIDDEN",)
WITH_BODY = ("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
WITH_LIMIT = ("RATE_LIMITED",)
ABOUT = (
    "Tap trading over the live BTC/USD price. Money is in cents, rates in basis points. In a body 100.0 is the integer"
    " 100, as it is in a schema."
)


class Info(msgspec.Struct, frozen=True):
    """What is described, and its version."""

    title: str
    """What is described."""
    version: str
    """The version of what is described."""
    description: str
    """What everything here has in common."""


class Operation(msgspec.Struct, frozen=True, rename="camel"):
    """An endpoint; its parameters, body and answers are beside this, as OpenAPI has them."""

    operation_id: str
    """What the endpoint is called."""
    summary: str
    """What it does, in a few words."""
    description: str
    """What it does."""


class Document(msgspec.Struct, frozen=True):
    """An OpenAPI document: operations by address and method."""

    openapi: str
    """The version of OpenAPI."""
    info: Info
    """What is described."""
    paths: dict[str, dict[str, Operation]]
    """The endpoints by address and method."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of all declared types, and of the refusals by their codes."""

    of: dict[Any, dict[str, Any]]
    components: dict[str, Any]
    problems: dict[str, type[Problem]]

    def of_one(self, declared: Any) -> dict[str, Any]:
        """Return the schema of a type, or of a value that is of one of several."""
        types = declared if isinstance(declared, tuple) else (declared,)
        return self.of[types[0]] if len(types) == 1 else {"oneOf": [self.of[one] for one in types]}

    def of_codes(self, codes: Iterable[str]) -> dict[str, Any]:
        """Return the schema of a refusal that has one of these codes."""
        types = dict.fromkeys(self.problems.get(code, Problem) for code in codes)
        # Every refusal fits Problem, and who tries one after the other takes the first that fits.
        found = [self.of[one] for one in sorted(types, key=lambda one: one is Problem)]
        return found[0] if len(found) == 1 else {"anyOf": found}


@functools.lru_cache(maxsize=1)
def document(functions: tuple[Function, ...], version: str, problems: tuple[type[Problem], ...] = ()) -> bytes:
    """Build the document as JSON; `problems` are the types of refusals that carry more than the sentence."""
    own = map(problem_of, dict.fromkeys(refusal for one in functions for refusal in one.own_refusals))
    schemas = _schemas(functions, (*problems, *own))
    paths: dict[str, dict[str, Any]] = {}
    for one in functions:
        paths.setdefault(route_of(one.route), {})[one.method.lower()] = _operation(one, schemas)
    components = {"schemas": schemas.components, "securitySchemes": SECURITY_SCHEMES, "headers": HEADERS}
    head = Document("3.1.0", Info("taptrade", version, ABOUT), {})
    return msgspec.json.encode(msgspec.to_builtins(head) | {"paths": paths, "components": components})


def error_codes(one: Function) -> list[str]:
    """Return every code that a function may answer with, declared or implied."""
    codes = {*ALWAYS, *one.errors}
    if one.auth in ("session", "operator"):
        codes.update(WITH_SESSION)
    if one.auth == "operator":
        codes.update(FOR_OPERATORS)
    if one.body is not None:
        codes.update(WITH_BODY)
    if one.buckets:
        codes.update(WITH_LIMIT)
    if "{" in one.route:
        codes.add("NOT_FOUND")
    known = one.codes
    return sorted(codes, key=lambda code: (known[code].status, code))


def code_of(problem: type[Problem]) -> str:
    """Return the code that a type of refusals is for."""
    [code] = get_args(get_type_hints(problem)["code"])
    return str(code)


def _schemas(functions: Iterable[Function], problems: tuple[type[Problem], ...]) -> Schemas:
    types = list(dict.fromkeys([*_types(functions), *problems, Problem]))
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    for schema in components.values():
        _forget_nulls(schema)
    describe(components, types)
    return Schemas(dict(zip(types, schemas, strict=True)), components, {code_of(one): one for one in problems})


def _forget_nulls(schema: dict[str, Any]) -> None:
    """Leave out defaults of null: they say nothing, and clients' generators ask for whatever has a default."""
    for field in schema.get("properties", {}).values():
        if field.get("default", "") is None:
            del field["default"]


def _types(functions: Iterable[Function]) -> Iterator[Any]:
    for one in functions:
        declared = (one.body, *one.bodies.values(), one.response, *one.also.values(), *map(type, one.events.values()))
        for each in declared:
            yield from each if isinstance(each, tuple) else () if each is None else (each,)


def _operation(one: Function, schemas: Schemas) -> dict[str, Any]:
    said = Operation(one.name.replace(".", "_"), one.summary, inspect.getdoc(one.handler) or one.summary)
    operation: dict[str, Any] = msgspec.to_builtins(said) | {
        "parameters": [*path_parameters(one), *query_parameters(one), *header_parameters(one)],
        "responses": _failures(one, schemas) | _successes(one, schemas),
    }
    if one.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.of_one((one.body, *one.bodies.values()))}},
        }
    if one.auth == "operator":
        operation["security"] = [{"operator": []}]
    elif one.auth != "none":
        anonymous: list[dict[str, list[str]]] = [{}] if one.auth == "optional" else []
        operation["security"] = [{"bearer": []}, {"cookie": []}, *anonymous]
    return operation


def _successes(one: Function, schemas: Schemas) -> dict[str, Any]:
    found = {str(one.status): _success(one, one.response, schemas)}
    return found | {str(status): _success(one, declared, schemas) for status, declared in one.also.items()}


def _success(one: Function, declared: Any, schemas: Schemas) -> dict[str, Any]:
    answer = {"description": one.summary, "headers": header_fields(one)}
    if one.events:
        return answer | {"content": {one.media: _stream(one, schemas)}}
    if declared is None and one.media == "application/json":
        return answer
    text = {"schema": {"type": "string"}}
    shown = text if declared is None else {"schema": schemas.of_one(declared)}
    return answer | {"content": {one.media: shown} | dict.fromkeys(one.instead, text)}


def _stream(one: Function, schemas: Schemas) -> dict[str, Any]:
    """Describe a stream: 3.1 has no word for the items of one, so each event's type is beside its example."""
    examples = {
        kind: {"value": f"event: {kind}\nid: ...\ndata: {msgspec.json.encode(value).decode()}\n\n"}
        for kind, value in one.events.items()
    }
    events = {kind: schemas.of[type(value)] for kind, value in one.events.items()}
    return {"schema": {"type": "string"}, "examples": examples, "x-events": events}


def _failures(one: Function, schemas: Schemas) -> dict[str, Any]:
    """Group the codes by status: OpenAPI knows one response a status."""
    by_status: dict[str, list[str]] = {}
    known = one.codes
    for code in error_codes(one):
        by_status.setdefault(str(known[code].status), []).append(code)
    return {
        status: {
            "description": " ".join(f"`{code}`: {known[code].meaning}" for code in codes),
            "headers": header_fields(one, retryable=any(known[code].retryable for code in codes)),
            "content": {PROBLEM_JSON: {"schema": schemas.of_codes(codes)}},
            "x-codes": codes,
        }
        for status, codes in by_status.items()
    }
