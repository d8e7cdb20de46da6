"""The types that a declaration and its handler name: each is resolved when its file is read, not when it is first used.

Annotations are texts until somebody asks for them, and a misspelt one would break what asks first: a request, or the
OpenAPI document of all functions. So they are asked for here, and one that means nothing is named with file and line.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from runtime.errors import OwnRefusal
from runtime.function_files import DiscoveryError

Check = Callable[[Iterable[Any]], object]
"""What will be made of types later: it raises where that cannot be."""
PLAIN = frozenset({"builtins", "msgspec", "typing"})
DECLARING = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Field(NamedTuple):
    """A field with its type, and the class that it stands in."""

    owner: type
    name: str
    form: Any


def refuse_unreadable(file: Path | str, types: Iterable[Any], check: Check) -> None:
    """Raise DiscoveryError that names the field whose type means nothing, or cannot be what it is declared for."""
    declared = [one for one in types if one is not None]
    seen: set[type] = set()
    # Those within a type come before it, so the innermost of several is named.
    fields = [field for one in declared for field in _fields(one, seen)]
    try:
        check([form for one in declared for form in _parts(one)])
    except Exception as ex:
        for field in fields:
            if _fails(check, field.form):
                raise _unreadable(field.owner, field.name, ex) from ex
        raise DiscoveryError(file, f"a type of its declaration cannot be used: {_said(ex)}") from ex


def hints_of(file: Path | str, handler: Any) -> dict[str, Any]:
    """Return the types of a handler's parameters and of what it returns; raise DiscoveryError where one is none."""
    try:
        return get_type_hints(handler)
    except Exception as ex:
        written = inspect.get_annotations(inspect.unwrap(handler))
        broken = next((name for name, text in written.items() if _is_broken(handler, name, text)), "")
        said = f"the annotations of {handler.__name__} cannot be read: {_said(ex)}"
        raise complaint(file, handler.__name__, said, broken) from ex


def complaint(file: Path | str, owner: str, said: str, part: str = "") -> DiscoveryError:
    """Return the error that names the line of a class or a handler, or of one of its parts."""
    line = line_of(file, owner, part)
    return DiscoveryError(file, f"line {line}: {said}" if line else said)


def line_of(file: Path | str, owner: str, part: str = "") -> int:
    """Return the line in which a class or a handler is declared, or its field, parameter or `return`; 0 if nowhere."""
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return 0
    for node in ast.walk(tree):
        if isinstance(node, DECLARING) and node.name == owner:
            return dict(_lines(node)).get(part, node.lineno)
    return 0


def _lines(node: DECLARING) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.ClassDef):
        for one in node.body:
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                yield one.target.id, one.lineno
        return
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        yield argument.arg, argument.lineno
    if node.returns is not None:
        yield "return", node.returns.lineno


def _parts(declared: Any) -> Iterable[Any]:
    """Return what is made of a declared type: a refusal is no type of an answer, but what it carries is."""
    is_refusal = isinstance(declared, type) and issubclass(declared, OwnRefusal)
    return declared.carried().values() if is_refusal else (declared,)


def _fields(form: Any, seen: set[type]) -> Iterator[Field]:
    """Resolve the fields of a type and of those within it, which come first; raise DiscoveryError."""
    for inner in get_args(form):
        yield from _fields(inner, seen)
    owner = get_origin(form) or form
    if not _has_fields(owner) or owner in seen:
        return
    seen.add(owner)
    for one in [owner] if issubclass(owner, OwnRefusal) else reversed(owner.__mro__):
        if one.__module__.partition(".")[0] in PLAIN:
            continue
        for name, written in inspect.get_annotations(one).items():
            try:
                meant = _meant(one, name, written)
            except Exception as ex:
                raise _unreadable(one, name, ex) from ex
            if get_origin(meant) is not ClassVar:
                yield from _fields(meant, seen)
                yield Field(one, name, meant)


def _has_fields(form: Any) -> bool:
    if not isinstance(form, type):
        return False
    is_named_tuple = issubclass(form, tuple) and hasattr(form, "_fields")
    is_ours = issubclass(form, (msgspec.Struct, OwnRefusal))
    return is_ours or is_named_tuple or dataclasses.is_dataclass(form) or is_typeddict(form)


def _meant(owner: Any, name: str, written: Any) -> Any:
    """Resolve one annotation apart from its neighbours, so that it is known which of them means nothing."""
    apart = type(owner.__name__, (), {"__module__": owner.__module__, "__annotations__": {name: written}})
    known = vars(owner) | {one.__name__: one for one in getattr(owner, "__type_params__", ())}
    return get_type_hints(apart, localns=known, include_extras=True)[name]


def _is_broken(owner: Any, name: str, written: Any) -> bool:
    try:
        _meant(owner, name, written)
    except Exception:  # noqa: BLE001  whatever it raises, this is the one
        return True
    return False


def _fails(check: Check, form: Any) -> bool:
    try:
        check([form])
    except Exception:  # noqa: BLE001  whatever it raises, this is the one
        return True
    return False


def _unreadable(owner: type, name: str, ex: Exception) -> DiscoveryError:
    file = inspect.getsourcefile(owner) or owner.__module__
    return complaint(
        file, owner.__name__, f"the type of `{name}` in {owner.__name__} cannot be read: {_said(ex)}", name
    )


def _said(ex: Exception) -> str:
    return " ".join(str(ex).split())
