"""The OpenAPI document and its page: complete, of valid form, from the functions' own types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from runtime.error_codes import CODES, plain_code
from runtime.web.discovery import discover
from runtime.web.openapi import document, error_codes
from tests.runtime.web.sample_app import GOOD

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def api() -> dict[str, Any]:
    """Return the document of the good samples."""
    decoded: dict[str, Any] = msgspec.json.decode(document(discover(GOOD), "v1.2.3-4+abc"))
    return decoded


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_function_is_in_it_once(api: dict[str, Any]) -> None:
    operations = [one for methods in api["paths"].values() for one in methods.values()]

    assert api["openapi"] == "3.1.0"
    assert api["info"]["version"] == "v1.2.3-4+abc"
    assert len(operations) == len(discover(GOOD))
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(set(methods) <= METHODS for methods in api["paths"].values())
    assert all(one["summary"] and one["responses"] for one in operations)


def test_every_reference_leads_somewhere(api: dict[str, Any]) -> None:
    for reference in references(api):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in api["components"][kind]


def test_body_answer_and_session_are_described(api: dict[str, Any]) -> None:
    tap = api["paths"]["/api/taps"]["post"]
    schemas = api["components"]["schemas"]

    body = tap["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    answer = tap["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert tap["responses"]["202"] == tap["responses"]["201"]
    assert schemas[body]["required"] == ["cell", "amount"]
    assert schemas[body]["additionalProperties"] is False
    assert set(schemas[answer]["properties"]) == {"wallet", "cell", "received_ms"}
    assert tap["security"] == [{"bearer": []}, {"cookie": []}]
    assert set(api["components"]["securitySchemes"]) == {"bearer", "cookie", "operator"}
    assert api["paths"]["/api/whoami"]["get"]["security"][-1] == {}
    assert "security" not in api["paths"]["/api/greet"]["get"]


def test_path_and_query_parameters_are_described(api: dict[str, Any]) -> None:
    greet = {one["name"]: one for one in api["paths"]["/api/greet"]["get"]["parameters"]}
    note = api["paths"]["/api/notes/{id}"]["get"]["parameters"]

    assert set(greet) == {"name", "times", "from"}
    assert (greet["name"]["required"], greet["from"]["required"]) == (True, False)
    assert greet["name"]["schema"]["minLength"] == 1
    assert [(one["name"], one["in"], one["required"]) for one in note] == [("id", "path", True)]
    assert note[0]["schema"]["type"] == "integer"


def test_errors_are_grouped_by_status_with_their_codes(api: dict[str, Any]) -> None:
    responses = api["paths"]["/api/taps"]["post"]["responses"]

    assert responses["409"]["x-codes"] == ["RATE_MOVED"]
    assert responses["400"]["x-codes"] == ["INVALID_REQUEST"]
    assert responses["429"]["x-codes"] == ["RATE_LIMITED"]
    assert {"401", "413", "415", "500", "503"} <= set(responses)
    problem = responses["409"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}


def test_streams_and_empty_answers_are_described(api: dict[str, Any]) -> None:
    assert "text/event-stream" in api["paths"]["/api/ticker"]["get"]["responses"]["200"]["content"]
    assert "content" not in api["paths"]["/api/notes/{id}"]["delete"]["responses"]["204"]


def test_every_code_has_a_status_and_a_sentence() -> None:
    for status in {known.status for known in CODES.values()}:
        assert CODES[plain_code(status)].status == status
    assert (plain_code(418), plain_code(502)) == ("INVALID_REQUEST", "INTERNAL_ERROR")
    for code, meaning in CODES.items():
        assert re.fullmatch(r"[A-Z][A-Z_]+", code)
        assert meaning.meaning.endswith(".")
    for one in discover(GOOD):
        assert set(error_codes(one)) <= set(CODES)
