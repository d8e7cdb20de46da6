"""What is said of fields: all of them have a meaning, examples that fit, and units; docstrings go before words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from runtime.field_words import WORDS
from runtime.function_files import functions_folder
from runtime.records.refusals import PROBLEMS
from runtime.web.discovery import discover
from runtime.web.meanings import describe
from runtime.web.openapi import document


class Parent(msgspec.Struct):
    """A type."""

    amount: int
    """What the parent says."""


class Child(Parent):
    """A type that inherits."""

    balance: Annotated[int, msgspec.Meta(description="what the type says")]
    other: Parent | None
    """None where there is none."""
    price_cents: str
    reference: str | None = None


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    """Return the document of the house."""
    decoded: dict[str, Any] = msgspec.json.decode(document(discover(functions_folder()), "v1", PROBLEMS))
    return decoded


def fields(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Walk the fields of all types and the parameters of all endpoints: whose, which, and what is said."""
    for owner, schema in api["components"]["schemas"].items():
        for name, one in schema.get("properties", {}).items():
            yield owner, name, one
    for route, methods in api["paths"].items():
        for operation in methods.values():
            for one in operation["parameters"]:
                yield route, one["name"], {"description": one.get("description", "")} | one["schema"]


def test_every_field_and_parameter_has_a_meaning(api: dict[str, Any]) -> None:
    described = {(owner, name): one for owner, name, one in fields(api)}
    silent = [where for where, one in described.items() if "$ref" not in one and not one.get("description")]
    assert silent == [], "say it below the field, or in runtime/field_words.py"
    assert len(described) > 300


def test_every_example_is_one(api: dict[str, Any]) -> None:
    wrong: list[tuple[str, str, str]] = []
    seen = 0
    for owner, name, one in fields(api):
        validator = Draft202012Validator({**one, "components": api["components"]})
        for example in one.get("examples", ()):
            seen += 1
            wrong.extend((owner, name, error.message) for error in validator.iter_errors(example))
    assert wrong == []
    assert seen > 100


def test_every_word_is_of_a_field(api: dict[str, Any]) -> None:
    renamed = {"from_ms", "to_ms"}
    assert WORDS.keys() - {name for _, name, _ in fields(api)} <= renamed


def test_a_docstring_goes_before_the_type_and_the_type_before_the_word() -> None:
    _, components = msgspec.json.schema_components([Child])
    describe(components, [Child])
    said = components["Child"]["properties"]
    assert said["amount"]["description"] == "What the parent says."
    assert (said["amount"]["x-unit"], said["amount"]["examples"]) == ("cents", [100])
    assert said["balance"]["description"] == "what the type says"
    assert said["other"]["description"] == "null where there is none."
    assert said["reference"]["description"] == WORDS["reference"].meaning
    assert "examples" not in said["price_cents"], "a word's example is of another type"
    assert components["Parent"]["properties"]["amount"] == said["amount"]
