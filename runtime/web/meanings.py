"""What OpenAPI says of each field beside its type: the meaning, the unit (`x-unit`) and an example.

The meaning is the docstring below the field, else the description of its type, else what the name means everywhere
(runtime.field_words).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from runtime.field_words import WORDS, Word

_NOTHING = Word("")
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}


def describe(components: dict[str, Any], types: Iterable[Any]) -> None:
    """Complete the properties of all schemas that were made of `types` and of what is in them."""
    for info in _objects(msgspec.inspect.multi_type_info(list(types))):
        properties = components.get(info.cls.__name__, {}).get("properties", {})
        for field in info.fields:
            if field.encode_name in properties:
                complete(properties[field.encode_name], field.name, docstring(info.cls, field.name))


def complete(schema: dict[str, Any], name: str, said: str = "") -> None:
    """Add to a field's schema what is known of its name; a reference alone is described where it leads."""
    if "$ref" in schema:
        return
    word = WORDS.get(name, _NOTHING)
    meaning = said or schema.get("description", "") or word.meaning
    if meaning:
        schema["description"] = meaning
    if word.unit:
        schema["x-unit"] = word.unit
    if word.example is not None and "examples" not in schema and _is_of(schema, word.example):
        schema["examples"] = [word.example]


def _is_of(schema: dict[str, Any], example: Any) -> bool:
    """Tell whether an example has a type that a schema allows."""
    inner: list[dict[str, Any]] = schema.get("anyOf", [schema])
    wanted = _JSON_TYPES[type(example)]
    return any(one.get("type") in (wanted, "number" if wanted == "integer" else wanted) for one in inner)


def _objects(infos: Iterable[Any]) -> Iterator[Any]:
    """Find the types with fields that types are made of, each once."""
    waiting, found = list(infos), set[type]()
    while waiting:
        info = waiting.pop()
        if isinstance(info, (msgspec.inspect.StructType, msgspec.inspect.DataclassType)):
            if info.cls in found:
                continue
            found.add(info.cls)
            yield info
        waiting.extend(_parts(info))


def _parts(info: Any) -> Iterator[Any]:
    for name in ("type", "item_type", "key_type", "value_type"):
        if hasattr(info, name):
            yield getattr(info, name)
    for name in ("types", "item_types"):
        yield from getattr(info, name, ())
    for field in getattr(info, "fields", ()):
        yield field.type


def docstring(owner: type, field: str) -> str:
    """Return the docstring below a field, in JSON's words; "" if neither the type nor one that it inherits has any."""
    for one in owner.__mro__:
        if one.__module__.partition(".")[0] not in ("builtins", "msgspec", "typing"):
            said = _docstrings(inspect.getsourcefile(one) or "").get((one.__name__, field), "")
            if said:
                return re.sub(r"\bNone\b", "null", said)
    return ""


@cache
def _docstrings(file: str) -> dict[tuple[str, str], str]:
    """Read the docstrings below the fields of a file's types, by type and field."""
    found = {}
    for one in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(one, ast.ClassDef):
            for field, below in zip(one.body, one.body[1:], strict=False):
                match field, below:
                    case (
                        ast.AnnAssign(target=ast.Name(name)),
                        ast.Expr(value=ast.Constant(value=str(said))),
                    ):
                        found[one.name, name] = inspect.cleandoc(said).replace("\n", " ")
    return found
