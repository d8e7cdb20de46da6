"""The document of the real functions: every field typed, headers, refusals and events described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.error_codes import CODES
from runtime.records.refusals import PROBLEMS
from runtime.stream import sse
from runtime.stream.payloads import EXAMPLES
from runtime.web.discovery import discover
from runtime.web.openapi import code_of, document

FUNCTIONS = discover(Path(__file__).parents[2] / "functions")


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    """Return the document."""
    decoded: dict[str, Any] = msgspec.json.decode(document(FUNCTIONS, "v1.2.3", PROBLEMS))
    return decoded


def schemas(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield everything in the document that is a schema by its keys, with the path to it."""
    if isinstance(value, dict):
        if value.keys() & {"type", "$ref", "anyOf", "enum"}:
            yield path, value
        for name, inner in value.items():
            yield from schemas(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from schemas(inner, f"{path}/{index}")


def is_untyped(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type", ())
    if "object" in (kinds if isinstance(kinds, list) else [kinds]):
        return not (schema.get("properties") or schema.get("additionalProperties"))
    return kinds == "array" and not (schema.get("items") or schema.get("prefixItems"))


def test_every_object_has_fields_and_every_list_a_type(api: dict[str, Any]) -> None:
    found = list(schemas(api))
    assert len(found) > 1_000
    assert [path for path, schema in found if is_untyped(schema)] == []
    assert is_untyped({"type": "object"})
    assert is_untyped({"type": ["object", "null"], "properties": {}})


def test_no_field_may_be_anything(api: dict[str, Any]) -> None:
    fields = [
        (name, field, schema)
        for name, one in api["components"]["schemas"].items()
        for field, schema in one.get("properties", {}).items()
    ]
    assert [
        (name, field) for name, field, schema in fields if not schema.keys() & {"type", "$ref", "anyOf", "enum"}
    ] == []


def test_rows_have_one_type_wherever_they_are_shown(api: dict[str, Any]) -> None:
    named = {name: one["properties"] for name, one in api["components"]["schemas"].items() if "properties" in one}
    bet, entry = {"$ref": "#/components/schemas/BetView"}, {"$ref": "#/components/schemas/EntryView"}
    withdrawal, column = {"$ref": "#/components/schemas/WithdrawalView"}, {"$ref": "#/components/schemas/ColumnView"}
    assert named["PlacedBet"]["bet"] == named["BetAnswer"]["bet"] == named["BetList"]["bets"]["items"] == bet
    assert named["RateMovedProblem"]["refused"] == named["SnapshotEvent"]["open_bets"]["items"] == bet
    assert named["Statement"]["entries"]["items"] == named["DepositList"]["deposits"]["items"] == entry
    assert named["Withdrawn"]["withdrawal"] == named["WithdrawalList"]["withdrawals"]["items"] == withdrawal
    assert column in named["BetAnswer"]["evidence"]["anyOf"]
    for view, event in (("BetView", "BetEvent"), ("ColumnView", "ColumnEvent")):
        assert named[event] == named[view] | {"event_id": named["Hello"]["event_id"]}


@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        ("/api/bets", "post", {"Prefer"}),
        ("/api/deposits", "post", {"Idempotency-Key"}),
        ("/api/withdrawals", "post", {"Idempotency-Key"}),
        ("/api/stream", "get", {"Last-Event-ID"}),
        ("/api/processor/deposits", "post", {"X-Taptrade-Timestamp", "X-Taptrade-Signature"}),
    ],
)
def test_header_fields_of_requests_are_described(api: dict[str, Any], path: str, method: str, names: set[str]) -> None:
    found = [one for one in api["paths"][path][method]["parameters"] if one["in"] == "header"]
    assert {one["name"] for one in found} == names
    assert all(one["description"] and one["schema"]["type"] == "string" for one in found)


def test_forms_and_least_lengths_are_described(api: dict[str, Any]) -> None:
    body = api["components"]["schemas"]["PlaceBetBody"]["properties"]
    assert (body["nonce"]["minLength"], body["nonce"]["maxLength"]) == (8, 128)
    assert body["signature"]["pattern"] == "^((0[xX])?[0-9a-fA-F]{128,130})?$"
    assert body["cell_id"]["pattern"]
    [bet_id] = [one for one in api["paths"]["/api/bets/{bet_id}"]["get"]["parameters"] if one["in"] == "path"]
    assert bet_id["schema"]["minLength"] == 26


def test_a_refusal_says_what_its_code_carries(api: dict[str, Any]) -> None:
    refused = api["paths"]["/api/bets"]["post"]["responses"]["409"]["content"]["application/problem+json"]["schema"]
    names = {one["$ref"].rpartition("/")[2] for one in refused["anyOf"]}
    assert {"RateMovedProblem", "ReplayedNonceProblem", "DuplicateBetProblem", "ExposureLimitProblem"} <= names
    moved = api["components"]["schemas"]["RateMovedProblem"]
    assert {"min_rate_bp", "rate_bp", "grid_version"} <= set(moved["required"])
    assert moved["properties"]["code"]["enum"] == ["RATE_MOVED"]
    codes = [code_of(one) for one in PROBLEMS]
    assert (len(set(codes)), set(codes) - set(CODES)) == (len(codes), set())


def test_every_event_has_a_type_and_an_example(api: dict[str, Any]) -> None:
    assert EXAMPLES.keys() == sse.EVERYTHING | {sse.CHANGE, sse.BRIEF, "hello", "snapshot", "reset"}
    stream = api["paths"]["/api/stream"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert stream["examples"].keys() == stream["x-events"].keys() == EXAMPLES.keys()
    for kind, example in EXAMPLES.items():
        frame = stream["examples"][kind]["value"]
        assert frame.startswith(f"event: {kind}\nid: ")
        data = frame.partition("data: ")[2].encode()
        assert msgspec.json.decode(data, type=type(example)) == example
        name = stream["x-events"][kind]["$ref"].rpartition("/")[2]
        assert (
            api["components"]["schemas"][name]["properties"].keys() >= msgspec.json.decode(data).keys() >= {"event_id"}
        )


def test_a_spreadsheet_is_an_answer_of_the_lists_that_give_one(api: dict[str, Any]) -> None:
    for path in ("/api/bets", "/api/ledger"):
        answer = api["paths"][path]["get"]["responses"]["200"]
        assert answer["content"].keys() == {"application/json", "text/csv"}
        assert "X-Next-Cursor" in answer["headers"]


def test_limits_and_waits_are_in_the_header_fields_of_answers(api: dict[str, Any]) -> None:
    responses = api["paths"]["/api/bets"]["post"]["responses"]
    assert {"X-Request-Id", "RateLimit", "RateLimit-Policy"} == set(responses["201"]["headers"])
    assert "Retry-After" in responses["429"]["headers"]
    assert "Retry-After" in responses["503"]["headers"]
    assert "Retry-After" not in responses["409"]["headers"]
