"""The OpenAPI 3.1 document, generated from the functions' declarations and types."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from runtime.error_codes import CODES
from runtime.web.answers import PROBLEM_JSON
from runtime.web.declaration import Function

REF = "#/components/schemas/{name}"
PROBLEM = "Problem"
# Codes that need no mention in a declaration: they follow from it.
ALWAYS = ("INVALID_REQUEST", "INTERNAL_ERROR", "UNAVAILABLE", "OVERLOADED")
WITH_SESSION = ("UNAUTHENTICATED",)
FOR_OPERATORS = ("FORBIDDEN",)
WITH_BODY = ("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
WITH_LIMIT = ("RATE_LIMITED",)
FIELD_TYPES = {"int": "integer", "float": "number", "uuid": "string", "dt": "string", "path": "string"}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token of POST /api/auth/login."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "taptrade_session",
        "description": "The same session for pages of the same origin; set by the login.",
    },
    "operator": {
        "type": "apiKey",
        "in": "cookie",
        "name": "taptrade_operator",
        "description": "The session of an operator; set by POST /api/operate/login.",
    },
}


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457); `code` is stable, and some codes bring fields of their own.

    `server_time_ms` comes with every refusal that the caller's clock may be the cause of.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    retryable: bool
    field: str | msgspec.UnsetType = msgspec.UNSET
    server_time_ms: int | msgspec.UnsetType = msgspec.UNSET


@functools.lru_cache(maxsize=1)
def document(functions: tuple[Function, ...], version: str) -> bytes:
    """Build the document as JSON."""
    types = list(dict.fromkeys(_types(functions)))
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    schema_of = dict(zip([*types, Problem], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in functions:
        route, fields = _route(one.route)
        paths.setdefault(route, {})[one.method.lower()] = _operation(one, fields, schema_of, components)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "taptrade",
                "version": version,
                "description": "Tap trading over the live BTC/USD price. Money is in cents, rates in basis points.",
            },
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": SECURITY_SCHEMES},
        }
    )


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
    return sorted(codes, key=lambda code: (CODES[code].status, code))


def _types(functions: Iterable[Function]) -> Iterator[Any]:
    for one in functions:
        yield from (declared for declared in (one.body, one.query, one.response) if declared is not None)


def _operation(
    one: Function, fields: list[tuple[str, str]], schema_of: dict[Any, Any], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": one.name.replace(".", "_"),
        "summary": one.summary,
        "description": inspect.getdoc(one.handler) or one.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": kind}} for name, kind in fields
        ],
        "responses": _failures(one) | {str(status): _success(one, schema_of) for status in (one.status, *one.also)},
    }
    if one.query is not None:
        operation["parameters"].extend(_query_parameters(schema_of[one.query], components))
    if one.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of[one.body]}},
        }
    if one.auth == "operator":
        operation["security"] = [{"operator": []}]
    elif one.auth != "none":
        anonymous: list[dict[str, list[str]]] = [{}] if one.auth == "optional" else []
        operation["security"] = [{"bearer": []}, {"cookie": []}, *anonymous]
    return operation


def _query_parameters(reference: dict[str, str], components: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = components[reference["$ref"].rpartition("/")[2]]
    for name, declared in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema["required"], "schema": declared}


def _success(one: Function, schema_of: dict[Any, Any]) -> dict[str, Any]:
    if one.response is None and one.media == "application/json":
        return {"description": one.summary}
    schema = schema_of[one.response] if one.response is not None else {"type": "string"}
    return {"description": one.summary, "content": {one.media: {"schema": schema}}}


def _failures(one: Function) -> dict[str, Any]:
    """Group the codes by status: OpenAPI knows one response a status."""
    by_status: dict[str, list[str]] = {}
    for code in error_codes(one):
        by_status.setdefault(str(CODES[code].status), []).append(code)
    schema = {"$ref": REF.format(name=PROBLEM)}
    return {
        status: {
            "description": " ".join(f"`{code}`: {CODES[code].meaning}" for code in codes),
            "content": {PROBLEM_JSON: {"schema": schema}},
            "x-codes": codes,
        }
        for status, codes in by_status.items()
    }


def _route(route: str) -> tuple[str, list[tuple[str, str]]]:
    """Turn Falcon's `{start:int}` into OpenAPI's `{start}`, and return the fields with their types."""
    fields: list[tuple[str, str]] = []
    parts = []
    for part in route.split("/"):
        if part.startswith("{"):
            name, _, converter = part.strip("{}").partition(":")
            fields.append((name, FIELD_TYPES.get(converter.partition("(")[0], "string")))
            parts.append(f"{{{name}}}")
        else:
            parts.append(part)
    return "/".join(parts), fields
