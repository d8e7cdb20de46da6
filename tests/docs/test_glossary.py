"""The glossary against the code: its names exist, no class is missing, and no word is used for something else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import section
from tests.docs.tables import ROOT, TREES

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^- \*\*(?P<term>[^*]+)\*\*: (?P<text>.+(?:\n  .+)*)", re.MULTILINE)
NAME = re.compile(r"`(?P<path>[\w/]+\.py):(?P<name>\w+)`")
ROW = re.compile(r"^\| (?P<word>[a-z]+) \| (?P<meaning>.+?) \| .+ \|$", re.MULTILINE)
ENTRIES = {entry["term"]: " ".join(entry["text"].split()) for entry in ENTRY.finditer(GLOSSARY)}
NAMES = {(name["path"], name["name"]) for name in NAME.finditer(GLOSSARY)}
WORDS = {row["word"]: row["meaning"] for row in ROW.finditer(section(GLOSSARY, "Words with one meaning"))}

# Every public class of these rooms is a word of the project, but for errors, for what a protocol asks of a library, and
# for the kinds of a class that is listed.
ROOMS_OF_WORDS = ("runtime/game", "runtime/betting", "runtime/stream", "runtime/messaging", "jobs/writer")

# The words whose names nobody may use, and `place` and `verdict`, which have one meaning of their own.
BANNED = frozenset(word for word, meaning in WORDS.items() if meaning == "nothing") | {"room"}
STORED_PLACES = {"placed_place", "resolved_place", "begun_place"}
"""Columns of the tables."""
FIELDS = {("runtime/explanation/views.py", "place")}
"""The HTTP field `place` of a proof's rows."""
OF_THE_JUDGE = {"runtime/game/judge.py", "jobs/writer/place.py"}


def classes(path: Path) -> list[ast.ClassDef]:
    """Return the public classes of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def bases(one: ast.ClassDef) -> set[str]:
    """Return the last names of what a class inherits."""
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in one.bases}


def identifiers(path: Path) -> Iterator[tuple[str, str]]:
    """Return the names that a module gives, each with what it names: module, class, function or variable."""
    yield path.stem, "module"
    yield path.parent.name, "module"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef(name=name):
                yield name, "class"
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, "function"
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.alias(asname=str(name))
            ):
                yield name, "variable"


def words_of(name: str) -> list[str]:
    """Split a name into its words, in lower case."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().strip("_").split("_")


def misused(path: str, name: str, kind: str) -> str | None:
    """Return the word that a name uses for something else than its one meaning."""
    words = words_of(name)
    wrong = BANNED & {*words, *(word.removesuffix("s") for word in words)}
    if wrong:
        return min(wrong)
    if {"verdict", "verdicts"} & {*words} and path not in OF_THE_JUDGE:
        return "verdict"
    if not {"place", "places"} & {*words} or name in STORED_PLACES or (path, name) in FIELDS:
        return None
    # To place a bet is the verb: `place_bets`, `PlaceBet`, `place_many`, or a function or a module called `place`.
    if words[0] == "place" and (words[1:2] in (["bet"], ["bets"], ["many"]) or (words == ["place"] and kind in VERBAL)):
        return None
    return "place"


VERBAL = ("function", "module")


def test_entries_are_ordered_sentences_with_a_name_in_the_code() -> None:
    assert list(ENTRIES) == sorted(ENTRIES, key=str.casefold)
    for term, text in ENTRIES.items():
        meaning = NAME.split(text)[0]
        assert re.fullmatch(r"[A-Z][^.]*(?:\.\d[^.]*)*\. ", meaning), f"{term}: one sentence, then the names"
        assert NAME.search(text), f"{term} is nowhere in the code"


@pytest.mark.parametrize(("path", "name"), sorted(NAMES))
def test_names_exist(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    given = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    given |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert name in given


@pytest.mark.parametrize("room", ROOMS_OF_WORDS)
def test_every_class_is_a_word(room: str) -> None:
    listed = {name for _, name in NAMES}
    missing = [
        f"{path.relative_to(ROOT)}:{one.name}"
        for path in sorted((ROOT / room).glob("*.py"))
        for one in classes(path)
        if (str(path.relative_to(ROOT)), one.name) not in NAMES
        and not bases(one) & {"Protocol", "Exception", "ResponseError", *listed}
    ]
    assert missing == []


def test_words_keep_their_one_meaning() -> None:
    found: dict[str, set[str]] = {}
    for tree in TREES:
        for source in sorted((ROOT / tree).rglob("*.py")):
            path = str(source.relative_to(ROOT))
            wrong = {name for name, kind in identifiers(source) if misused(path, name, kind)}
            if wrong:
                found[path] = wrong
    assert found == {}


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        pytest.param("place_bets", "function", None, id="to place bets"),
        pytest.param("PlaceBet", "class", None, id="a command to place a bet"),
        pytest.param("place", "function", None, id="to place"),
        pytest.param("placed_place", "variable", None, id="a stored column"),
        pytest.param("placeable_columns", "function", None, id="another word"),
        pytest.param("wiring", "module", None, id="another word that begins alike"),
        pytest.param("place", "variable", "place", id="a position"),
        pytest.param("Place", "class", "place", id="where something is"),
        pytest.param("place_of", "function", "place", id="the place of something"),
        pytest.param("PLACE_MAX", "variable", "place", id="a constant"),
        pytest.param("take_turns", "function", "turn", id="a plural"),
        pytest.param("NewsItem", "class", "news", id="part of a class"),
        pytest.param("reads", "variable", "reads", id="a plural that is the word"),
        pytest.param("verdict", "variable", "verdict", id="a verdict that is not the judge's"),
    ],
)
def test_misuse_is_seen(name: str, kind: str, word: str | None) -> None:
    assert misused("runtime/log.py", name, kind) == word
