"""What of a declaration OpenAPI calls parameters, header fields and security."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from runtime.web.declaration import Function
from runtime.web.meanings import complete, describe

REF = "#/components/schemas/{name}"
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
HEADERS = {
    "X-Request-Id": {
        "description": "The id of this request, as the logs have it.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    },
    "RateLimit-Policy": {
        "description": "The limits that count here, with their windows.",
        "schema": {"type": "string"},
    },
    "RateLimit": {"description": "What is left of these limits.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "X-Next-Cursor": {
        "description": "Of a spreadsheet: the cursor of the next page, empty on the last.",
        "schema": {"type": "string"},
    },
}


def header_fields(one: Function, *, retryable: bool = False) -> dict[str, Any]:
    """Return the header fields of an answer."""
    names = ["X-Request-Id"]
    if one.buckets:
        names += ["RateLimit-Policy", "RateLimit"]
    if retryable:
        names.append("Retry-After")
    elif "text/csv" in one.instead:
        names.append("X-Next-Cursor")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def path_parameters(one: Function) -> Iterator[dict[str, Any]]:
    """Describe the fields of the route."""
    for name, kind in _fields(one.route):
        schema = msgspec.json.schema(one.path[name]) if name in one.path else {"type": kind}
        complete(schema, name)
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def query_parameters(one: Function) -> Iterator[dict[str, Any]]:
    """Describe the query's fields; its type is no component, since no JSON has its form."""
    if one.query is None:
        return
    _, components = msgspec.json.schema_components([one.query], ref_template=REF)
    describe(components, [one.query])
    schema = components[one.query.__name__]
    for name, declared in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema["required"], "schema": declared}


def header_parameters(one: Function) -> Iterator[dict[str, Any]]:
    """Describe the header fields that a request may bring."""
    for header in one.headers:
        yield {
            "name": header.name,
            "in": "header",
            "required": header.required,
            "description": header.description,
            "schema": msgspec.json.schema(header.form),
        }


def route_of(route: str) -> str:
    """Turn Falcon's `{start:int}` into OpenAPI's `{start}`."""
    return "/".join(f"{{{_field(part)[0]}}}" if part.startswith("{") else part for part in route.split("/"))


def _fields(route: str) -> list[tuple[str, str]]:
    return [_field(part) for part in route.split("/") if part.startswith("{")]


def _field(part: str) -> tuple[str, str]:
    name, _, converter = part.strip("{}").partition(":")
    return name, FIELD_TYPES.get(converter.partition("(")[0], "string")
