"""The sources as text and trees: every module by its dotted name, what it imports, and the words in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def modules(trees: Iterable[str]) -> dict[str, Path]:
    """Return every module of the trees by its dotted name."""
    found = {}
    for tree in trees:
        for path in sorted((ROOT / tree).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


class Trees(Mapping[str, ast.Module]):
    """The parsed sources by module, parsed when the first is asked for: of several workers, one runs what asks."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    @cached_property
    def _parsed(self) -> dict[str, ast.Module]:
        return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in self._paths.items()}

    def __getitem__(self, module: str) -> ast.Module:
        return self._parsed[module]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def imports(source: str | ast.AST, module: str) -> Iterator[str]:
    """Return the dotted names that a source imports, `from a import b` as `a.b`; type-checking ones count too."""
    package = module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source) if isinstance(source, str) else source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def prefixes_of(name: str) -> Iterator[str]:
    """Return a dotted name and all that it lies in."""
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def words(tree: ast.AST) -> Iterator[str]:
    """Return the string literals that are values: no docstrings, nor strings that stand alone."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@cache
def names_of(tree: ast.AST, module: str) -> dict[str, str]:
    """Return what the imported names of a source mean: local name -> dotted name."""
    meant: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import a.b` brings `a`, unless it is named otherwise.
            for one in node.names:
                top = one.name.partition(".")[0]
                meant[one.asname or top] = one.name if one.asname else top
        elif isinstance(node, ast.ImportFrom):
            sources = imports(node, module)
            meant |= {one.asname or one.name: name for one, name in zip(node.names, sources, strict=True)}
    return meant


def dotted(node: ast.AST, meant: dict[str, str]) -> str | None:
    """Return the dotted name that `a` or `a.b.c` means, None for anything else; `a[b]` is taken as `a`."""
    if isinstance(node, ast.Subscript):
        return dotted(node.value, meant)
    if isinstance(node, ast.Name):
        return meant.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value, meant)
        return inner and f"{inner}.{node.attr}"
    return None
