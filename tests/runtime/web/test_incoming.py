"""What comes in: bodies and queries as typed values, refused with the name of the wrong field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.runtime.web.sample_app import BEARER, NOW_MS, WALLET, SampleApp, build, problem

TAP = {"cell": "1_2_3", "amount": 100}


@pytest.fixture
def sample() -> SampleApp:
    """Return the app over the good samples."""
    return build()


def test_a_body_becomes_a_struct_and_the_answer_json(sample: SampleApp) -> None:
    answer = sample.send("POST", "/api/taps", TAP)

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"wallet": WALLET, "cell": "1_2_3", "received_ms": NOW_MS}


def test_query_parameters_become_a_struct(sample: SampleApp) -> None:
    answer = sample.call("GET", "/api/greet", query_string="name=J%C3%BCrgen%20X&times=2&from=17")

    assert answer.json["text"] == "hello Jürgen X hello Jürgen X"
    assert answer.json["since"] == 17


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        pytest.param("", "name", "missing required field `name`", id="missing"),
        pytest.param("name=a&times=x", "times", "Expected `int`", id="wrong type"),
        pytest.param("name=", "name", "length >= 1", id="constraint"),
        pytest.param("name=a&nmae=b", "nmae", "unknown field `nmae`", id="unknown"),
        pytest.param("name=a&name=b", "name", "more than once", id="repeated"),
        pytest.param("name=a&times=", "times", "Expected `int`", id="empty number"),
    ],
)
def test_a_wrong_query_is_refused_by_name(sample: SampleApp, query: str, field: str, detail: str) -> None:
    body = problem(sample.call("GET", "/api/greet", query_string=query), 400, "INVALID_REQUEST")

    assert body["field"] == field
    assert detail in body["detail"]


def test_a_parameter_is_refused_where_none_is_taken(sample: SampleApp) -> None:
    body = problem(sample.call("GET", "/api/whoami", query_string="a=1"), 400, "INVALID_REQUEST")

    assert body["field"] == "a"


@pytest.mark.parametrize(
    ("sent", "field", "detail"),
    [
        pytest.param(b'{"cell": "a", "amount": "1"}', "amount", "Expected `int`, got `str`.", id="wrong type"),
        pytest.param(b'{"cell": "a", "amount": 1.5}', "amount", "Expected `int`, got `float`.", id="float"),
        pytest.param(b'{"cell": "a"}', "amount", "Object missing required field `amount`.", id="missing"),
        pytest.param(b'{"cell": "a", "amount": 1, "x": 2}', "x", "Object contains unknown field `x`.", id="unknown"),
        pytest.param(
            b'{"cell": "a", "amount": 1, "where": {"row": "a"}}', "where.row", "Expected `int`, got `str`.", id="inner"
        ),
        pytest.param(
            b'{"cell": "a", "amount": 1, "where": {"row": 1, "y": 2}}', "where.y", "unknown field `y`", id="inner name"
        ),
        pytest.param(b"[1]", "$", "Expected `object`, got `array`.", id="no object"),
        pytest.param(b'{"cell": ', "$", "The body is not JSON: Input data was truncated.", id="truncated"),
        pytest.param(b"{} {}", "cell", "missing required field `cell`", id="two values"),
        pytest.param(b'{"cell": "\xff", "amount": 1}', "$", "The body is not JSON", id="not UTF-8"),
        pytest.param(b'{"cell": "a", "amount": 1, "z": ' + b"[" * 5000, "z", "unknown", id="deep"),
        pytest.param(b"", "$", "The body is empty", id="empty"),
    ],
)
def test_a_wrong_body_is_refused_with_the_field(sample: SampleApp, sent: bytes, field: str, detail: str) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}

    body = problem(sample.call("POST", "/api/taps", body=sent, headers=headers), 400, "INVALID_REQUEST")

    assert body["field"] == field
    assert detail in body["detail"]


@pytest.mark.parametrize(
    "media_type",
    [
        *("application/json", "application/json; charset=utf-8", "Application/JSON", "application/json ;charset=utf-8"),
        # JSON knows no charset; the parameter has no effect (RFC 8259, 11).
        *(
            'application/json;charset="UTF-8"',
            "application/json; charset=ISO-8859-1",
            "application/json;",
            "application/json;q=0",
        ),
    ],
)
def test_json_has_several_spellings(sample: SampleApp, media_type: str) -> None:
    headers = {**BEARER, "Content-Type": media_type}

    assert sample.call("POST", "/api/taps", body=json.dumps(TAP), headers=headers).status_code == 201


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/vnd.a+json",
        "text/plain, application/json",
    ],
)
def test_another_media_type_is_415(sample: SampleApp, media_type: str | None) -> None:
    headers = dict(BEARER) if media_type is None else {**BEARER, "Content-Type": media_type}

    answer = sample.call("POST", "/api/taps", body=json.dumps(TAP), headers=headers)

    assert "application/json" in problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")["detail"]


def test_the_body_may_be_64_kb_and_no_more(sample: SampleApp) -> None:
    frame = len(json.dumps({"cell": "", "amount": 1}))
    fits = {"cell": "a" * (65_536 - frame), "amount": 1}
    over = {"cell": "a" * (65_537 - frame), "amount": 1}

    assert sample.send("POST", "/api/taps", fits).status_code == 201
    problem(sample.send("POST", "/api/taps", over), 413, "BODY_TOO_LARGE")


def test_a_body_without_content_length_is_read_to_its_limit(sample: SampleApp) -> None:
    headers = {**BEARER, "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    options: dict[str, Any] = {"headers": headers, "extras": {"CONTENT_LENGTH": ""}}

    assert sample.call("POST", "/api/taps", body=json.dumps(TAP), **options).status_code == 201
    problem(sample.call("POST", "/api/taps", body="a" * 65_537, **options), 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("length", ["+5", "٣"])
def test_a_length_that_is_no_number_is_refused(sample: SampleApp, length: str) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = sample.call("POST", "/api/taps", body=b"{}", headers=headers, extras={"CONTENT_LENGTH": length})

    assert problem(answer, 400, "INVALID_REQUEST")["detail"] == "Content-Length is not a number."


def test_a_body_that_ends_early_is_refused(sample: SampleApp) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = sample.call("POST", "/api/taps", body=b"{}", headers=headers, extras={"CONTENT_LENGTH": "9"})

    assert "ended before" in problem(answer, 400, "INVALID_REQUEST")["detail"]


def test_a_body_is_refused_where_none_is_taken(sample: SampleApp) -> None:
    assert sample.call("POST", "/api/notes/1/copy").status_code == 204
    body = problem(sample.send("POST", "/api/notes/1/copy", {}), 400, "INVALID_REQUEST")
    assert body["detail"] == "POST /api/notes/{id:int}/copy takes no body."
