"""What the sources declare and what uses it: the names of modules resolved, those of classes by name alone."""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from tests.sources import dotted, modules, names_of, words

MODULES = modules(("functions", "runtime", "jobs", "taptrade", "loadtest", "release", "examples"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Declaration:
    """One name that a module or one of its classes declares."""

    module: str
    owner: str
    name: str
    node: ast.AST = field(compare=False)

    def __str__(self) -> str:
        return ".".join(part for part in (self.module, self.owner, self.name) if part)


@dataclass(frozen=True, slots=True)
class Use:
    """A dotted name, or `.name` of an object of whatever class, and the declarations that the use stands in."""

    name: str
    inside: frozenset[Declaration]


def targets(node: ast.stmt) -> Iterator[str]:
    """Return the names that a statement declares."""
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            names = (one for one in ast.walk(target) if isinstance(one, ast.Name))
            yield from (one.id for one in names if isinstance(one.ctx, ast.Store))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def attributes(node: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    """Return the attributes that the methods of a class give its objects."""
    for one in ast.walk(node):
        if not isinstance(one, ast.Attribute) or not isinstance(one.ctx, ast.Store):
            continue
        if isinstance(one.value, ast.Name) and one.value.id == "self":
            yield one.attr, one


def declared(tree: ast.Module, module: str) -> Iterator[Declaration]:
    """Return what a module declares, its classes' members and attributes among it."""
    for node in tree.body:
        yield from (Declaration(module, "", name, node) for name in targets(node))
        if isinstance(node, ast.ClassDef):
            members = [(name, one) for one in node.body for name in targets(one)]
            known = {name for name, _ in members}
            later = dict(one for one in attributes(node) if one[0] not in known)
            yield from (Declaration(module, node.name, *one) for one in (*members, *later.items()))


class _Uses(ast.NodeVisitor):
    """Collect the uses in one module."""

    def __init__(self, tree: ast.Module, module: str, declarations: list[Declaration]) -> None:
        self.module = module
        self.meant = names_of(tree, module)
        self.own = {one.name for one in declarations if not one.owner}
        self.starts: dict[int, set[Declaration]] = {}
        for one in declarations:
            if not isinstance(one.node, ast.Attribute):
                self.starts.setdefault(id(one.node), set()).add(one)
        self.inside: frozenset[Declaration] = frozenset()
        self.found: list[Use] = []

    def visit(self, node: ast.AST) -> None:
        before = self.inside
        self.inside |= self.starts.get(id(node), set())
        if isinstance(node, ast.Attribute):
            if isinstance(node.ctx, ast.Load) and dotted(node.value, self.meant) not in MODULES:
                self.found.append(Use("." + node.attr, self.inside))
            self._use(dotted(node, self.meant))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._use(f"{self.module}.{node.id}" if node.id in self.own else self.meant.get(node.id))
        elif isinstance(node, ast.MatchClass):
            self.found.extend(Use("." + name, self.inside) for name in node.kwd_attrs)
        self.generic_visit(node)
        self.inside = before

    def _use(self, name: str | None) -> None:
        if name:
            self.found.append(Use(name, self.inside))


def uses(tree: ast.Module, module: str, declarations: list[Declaration]) -> list[Use]:
    """Return the uses in a module: names, attributes, quoted annotations, and strings that name something whole."""
    visitor = _Uses(tree, module, declarations)
    visitor.visit(tree)
    nothing: frozenset[Declaration] = frozenset()
    strings = {text.replace(":", ".").removesuffix("()") for text in words(tree)}
    # A module that is named whole is imported for its main.
    strings |= {f"{text}.main" for text in strings}
    return [*visitor.found, *(Use(text, nothing) for text in strings)]


def unused(trees: Mapping[str, ast.Module], asked: Iterable[Declaration]) -> list[Declaration]:
    """Return those of the declarations that nothing in `trees` uses but such as are unused themselves."""
    declarations = {module: list(declared(tree, module)) for module, tree in trees.items()}
    handed_on = {
        f"{module}.{local}": meant
        for module, tree in trees.items()
        for node in tree.body
        for local, meant in (names_of(node, module) if isinstance(node, ast.ImportFrom) else {}).items()
    }
    found = [use for module, tree in trees.items() for use in uses(tree, module, declarations[module])]
    waiting, alive = set(asked), set[Declaration]()
    named: dict[str, set[Declaration]] = {}
    for one in waiting:
        named.setdefault(f".{one.name}" if one.owner else str(one), set()).add(one)
    # What is not alive itself keeps nothing else alive, so what only goes round in a circle is dead.
    while more := {
        one
        for use in found
        if use.inside & waiting <= alive
        for one in named.get(handed_on.get(use.name, use.name), ())
        if one not in alive
    }:
        alive |= more
    return sorted(waiting - alive, key=str)


def meaning(trees: Mapping[str, ast.Module], module: str) -> dict[str, str]:
    """Return what the names of a module mean: those of Python, those it imports, its own classes."""
    tree = trees[module]
    own = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: f"builtins.{name}" for name in dir(builtins)} | names_of(tree, module) | own


def foreign_bases(trees: Mapping[str, ast.Module], module: str, owner: str) -> list[str]:
    """Return the classes of others that a class is made of, at whatever distance."""
    found: list[str] = []
    for node in trees[module].body if module in trees else ():
        for base in node.bases if isinstance(node, ast.ClassDef) and node.name == owner else ():
            name = dotted(base, meaning(trees, module)) or ""
            where, _, called = name.rpartition(".")
            found += foreign_bases(trees, where, called) if where in trees else [name]
    return [name for name in found if name]


@cache
def loaded(name: str) -> object:
    """Return what a dotted name of others means."""
    where, _, called = name.rpartition(".")
    return getattr(importlib.import_module(where), called)
