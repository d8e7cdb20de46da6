"""Declarations: what they refuse, and what a call offers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runtime.function import Call, OwnRefusal
from runtime.function_files import DECLARATION, DeclarationError
from runtime.web.declaration import Body, OpenQuery, Query, function


def nothing(_call: Call[Any]) -> None:
    return None


def declare(method: Any = "GET", route: str = "/api/x", **fields: Any) -> None:
    options: dict[str, Any] = {"auth": "none", "summary": "X"} | fields
    function(method, route, **options)(nothing)


class Text(Body, frozen=True):
    text: str


class Gone(OwnRefusal, code="GONE_AWAY", status=410):
    """It is gone."""


class Lax(msgspec.Struct):
    text: str


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        pytest.param({"method": "FETCH"}, "unknown method 'FETCH'", id="method"),
        pytest.param({"route": "api/x"}, "must start with a slash", id="route without slash"),
        pytest.param({"route": "/api/x/"}, "not end with one", id="route ends with slash"),
        pytest.param(
            {"auth": "admin"}, "unknown auth 'admin'; it must be one of none, operator, optional, session", id="auth"
        ),
        pytest.param({"summary": ""}, "summary is empty", id="summary"),
        pytest.param({"status": 404}, "status 404 is no success", id="status"),
        pytest.param(
            {"limits": ("coffee",)}, "unknown limit 'coffee'; it must be one of address_logins, bets", id="limit"
        ),
        pytest.param({"limits": "requests"}, r'write limits=\("requests",\)', id="limit alone"),
        pytest.param({"errors": "NOT_FOUND"}, r'write errors=\("NOT_FOUND",\)', id="error alone"),
        pytest.param({"errors": Gone}, r"errors=\(Gone\) is one alone, .* write errors=\(Gone,\)", id="refusal alone"),
        pytest.param({"body": Text}, "GET takes no body", id="body on GET"),
        pytest.param({"method": "DELETE", "body": Text}, "DELETE takes no body", id="body on DELETE"),
        pytest.param({"method": "POST", "body": Lax}, "Lax lets unknown fields pass", id="lax body"),
        pytest.param({"method": "POST", "body": dict}, "is no msgspec Struct", id="body no struct"),
        pytest.param({"query": Lax}, "inherit runtime.function.Query", id="lax query"),
        pytest.param({"errors": ("OOPS",)}, "unknown error code 'OOPS'", id="error code"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_reason(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint):
        declare(**fields)


def test_the_handler_stays_an_ordinary_function() -> None:
    def handler(_call: Call[None]) -> None:
        return None

    decorated = function("GET", "/api/x", auth="none", summary="X")(handler)

    assert decorated is handler
    assert getattr(handler, DECLARATION).route == "/api/x"


def test_bodies_and_queries_refuse_unknown_fields_by_inheritance() -> None:
    class Limit(Query, frozen=True):
        limit: int = 10

    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"text": "a", "more": 1}', type=Text)
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"limits": "3"}, Limit, strict=False)
    assert msgspec.convert({"limit": "3"}, Limit, strict=False).limit == 3


def test_a_query_may_be_open_to_other_parameters_by_inheritance_only() -> None:
    class Page(OpenQuery, frozen=True):
        limit: int = 10

    declare(query=Page)

    assert msgspec.convert({"limits": "3"}, Page, strict=False).limit == 10
